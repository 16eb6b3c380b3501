package signal

import "bytes"

// findStamp is where a kernel's line begins in text, as [ 12.345678] or <6>[ 12.345678], and where that ends; -1 for
// nowhere.
func findStamp(text []byte) (start, end int) {
	for base := 0; ; {
		i := bytes.IndexByte(text[base:], '[')
		if i < 0 {
			return -1, -1
		}
		start = base + i
		if end = stampEnd(text, start); end > 0 {
			return levelBefore(text, start), end
		}
		base = start + 1
	}
}

// stampEnd is where the stamp ends that begins with the bracket at i; 0 when it is none.
func stampEnd(text []byte, i int) int {
	digits := func(from, most int) int {
		n := from
		for n < len(text) && n-from < most && text[n] >= '0' && text[n] <= '9' {
			n++
		}
		return n
	}
	i++
	for n := 0; n < 5 && i < len(text) && text[i] == ' '; n++ {
		i++
	}
	dot := digits(i, 6)
	if dot == i || dot >= len(text) || text[dot] != '.' {
		return 0
	}
	end := digits(dot+1, 6)
	if end != dot+7 || end >= len(text) || text[end] != ']' {
		return 0
	}
	return end + 1
}

// levelBefore is where the <6> before a stamp begins, or the stamp itself.
func levelBefore(text []byte, stamp int) int {
	if stamp > 0 && text[stamp-1] == '>' {
		for i := stamp - 2; i >= 0 && stamp-i <= 5; i-- {
			if text[i] == '<' && i < stamp-2 {
				return i
			}
			if text[i] < '0' || text[i] > '9' {
				break
			}
		}
	}
	return stamp
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
