package signal

import "github.com/gantry-ci/gantry/internal/printk"

// findStamp is where a kernel's line begins in text, as [ 12.345678] or <6>[ 12.345678], and where that ends; -1 for
// nowhere.
func findStamp(text []byte) (start, end int) {
	if p, ok := printk.Find(text); ok {
		return p.Start, p.Stamp
	}
	return -1, -1
}

// stamps are the places of all stamps: where each begins and ends.
func stamps(text []byte) (all [][2]int) {
	for base := 0; ; {
		start, end := findStamp(text[base:])
		if start < 0 {
			return all
		}
		all = append(all, [2]int{base + start, base + end})
		base += end
	}
}

func lastStamp(text []byte) int {
	if all := stamps(text); len(all) > 0 {
		return all[len(all)-1][0]
	}
	return -1
}
