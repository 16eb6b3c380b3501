package signal

import "strings"

// leastFragment is how long the start of a signal must be to show which one it is of.
const leastFragment = len(signalStart + "TESTCASE TEST_CASE_ID=")

// maxFlips is how many bytes of a damaged signal may differ from the whole one.
const maxFlips = 3

// remainsOf reports whether what is left may be of a text: it is a part of it, or begins like it.
func (u *unnumbered) remainsOf(text string) bool {
	same, _, _ := alike(text, u.text)
	return same > leastFragment || strings.Contains(text, u.text) || resembles(text, u.text, true)
}

// near reports whether s, which has a text's trailer, may be the text.
func near(text, s string) bool {
	head, tail, short := alike(text, s)
	return head+tail >= short-maxFlips || resembles(text, s, true)
}

// resembles reports whether s is a text, or is the remains of it: with a stretch lost or put in, or with some bytes
// changed. What was put in without breaking the signal is no part of a name.
func resembles(text, s string, broken bool) bool {
	head, tail, short := alike(text, s)
	if head+tail >= short {
		return broken || len(s) <= len(text) || strings.ContainsAny(s[head:len(s)-tail], " <>[")
	}
	flips := 0
	for i := range short {
		if s[i] != text[i] {
			flips++
		}
	}
	return len(s) == len(text) && flips <= maxFlips
}

// alike is how much two texts have in common at their starts and ends, and the length of the shorter.
func alike(text, s string) (head, tail, short int) {
	short = min(len(s), len(text))
	for head < short && s[head] == text[head] {
		head++
	}
	for tail < short-head && s[len(s)-1-tail] == text[len(text)-1-tail] {
		tail++
	}
	return head, tail, short
}

// maxRecent is how many of the last records are remembered.
const maxRecent = 64

// nearby yields the records around a signal that are still remembered, until do returns false.
func (s *sequence) nearby(u *unnumbered) func(yield func(text string) bool) {
	return func(yield func(text string) bool) {
		for seq := u.after - neighborhood; seq <= min(u.before, u.after+maxRecent)+neighborhood; seq++ {
			if text := s.recent[seq]; text != "" && !yield(text) {
				return
			}
		}
	}
}

// cutCopy reports whether what is left is of a record that is known: where output comes twice, the copy's ends are cut.
func (s *sequence) cutCopy(u *unnumbered) bool {
	if u.inManifest {
		return true // tests have ended
	}
	for text := range s.nearby(u) {
		if (len(u.text) > leastFragment || u.repeated) && strings.Contains(text, u.text) {
			return true
		}
	}
	return false
}

// sameSubjectNearby reports whether a neighbor reports on the same case. Where a stretch of output comes twice, the end
// of its first copy may run together with the start of the second.
func (s *sequence) sameSubjectNearby(u *unnumbered) bool {
	for text := range s.nearby(u) {
		if sameSubject(u.text, text) {
			return true
		}
	}
	return false
}
