package lavaequal

import (
	"fmt"
	"path"
)

// Difference is a case that the two tell differently. A case that one of them does not have is "" there.
type Difference struct {
	Case         string // suite/case; a case told more than once has its number: "0_s/it#2"
	LAVA, Gantry string
	Why          string // it may be so
}

// keyed are results by their case.
func keyed(results []Result) (order []string, by map[string]Result) {
	by = map[string]Result{}
	for _, r := range results {
		name := path.Join(r.Suite, r.Case)
		key := name
		for n := 2; by[key] != (Result{}); n++ {
			key = fmt.Sprintf("%s#%d", name, n)
		}
		by[key] = r
		order = append(order, key)
	}
	return order, by
}

// compare lists what differs, in LAVA's order.
func compare(lava, gantry []Result) (differences []Difference, equal int) {
	order, theirs := keyed(lava)
	mine, ours := keyed(gantry)
	for _, key := range order {
		a, b := theirs[key], ours[key]
		switch {
		case a == b:
			equal++
		case b == Result{}:
			differences = append(differences, Difference{Case: key, LAVA: a.String()})
		default:
			differences = append(differences, Difference{Case: key, LAVA: a.String(), Gantry: b.String()})
		}
	}
	for _, key := range mine {
		if _, ok := theirs[key]; !ok {
			differences = append(differences, Difference{Case: key, Gantry: ours[key].String()})
		}
	}
	return differences, equal
}
