package lavaequal

import (
	"fmt"
	"path"
	"strings"
)

// Who is right where the two differ.
const (
	Ours   = "gantry"
	Either = "either"
)

// Difference is a case that the two tell differently. A case that one of them does not have is "" there.
type Difference struct {
	Case         string // suite/case; a case told more than once has its number: "0_s/it#2"
	LAVA, Gantry string
	Right        string // who is
	Why          string // it may be so
	Chance       bool   // it does not come in every run
}

// of is d for each of some cases, written "case|LAVA|gantry".
func of(d Difference, cases ...string) (all []Difference) {
	for _, c := range cases {
		part := strings.SplitN(c, "|", 3)
		d.Case, d.LAVA, d.Gantry = part[0], part[1], part[2]
		all = append(all, d)
	}
	return all
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

// excuse fills in the reasons for which differences are allowed. Those without one come back in refused, and those that
// were to be and are not in gone.
func excuse(list, differences []Difference) (refused, gone []Difference) {
	used := make([]bool, len(list))
	for i := range differences {
		d := &differences[i]
		for n, a := range list {
			if ok, err := path.Match(a.Case, d.Case); err == nil && ok && a.LAVA == d.LAVA && a.Gantry == d.Gantry {
				d.Right, d.Why, d.Chance, used[n] = a.Right, a.Why, a.Chance, true
			}
		}
		if d.Why == "" {
			refused = append(refused, *d)
		}
	}
	for n, a := range list {
		if !used[n] && !a.Chance {
			gone = append(gone, a)
		}
	}
	return refused, gone
}
