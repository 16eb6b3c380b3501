package kernlog

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// titled is what the rules make of a report: its kind, its title, and what identifies it.
type titled struct {
	kind, title string
	frames      []string // the meaningful ones, from the culprit outwards; none where they vary from run to run
	fatal       bool
	emulation   bool
	complete    bool // the report had all that the rule asks for
	none        bool // it is no kernel trouble
}

// corrupted stands for a function that is missing in the report, as in syzkaller's titles.
const corrupted = "corrupted"

// compose titles the report by the first rule that finds all it needs.
func compose(r *report) titled {
	g := r.heading.group
	for i, text := range r.body {
		if !containsAny(text, g.words) {
			continue
		}
		known := false
		for j := range g.rules {
			rule := &g.rules[j]
			loc := rule.head.FindStringSubmatchIndex(text)
			if loc == nil {
				continue
			}
			known = true
			if t, ok := rule.apply(g, r.body[i:], loc); ok {
				return t
			}
		}
		if known {
			break
		}
	}
	return titled{kind: g.kind, title: normalize(strings.Clone(r.text[0][r.heading.at:])), fatal: g.fatal}
}

// apply tries a rule whose head matched the first line at loc.
func (u *rule) apply(g *group, body []string, loc []int) (titled, bool) {
	captured := captures(body[0], loc)
	at := 1
	for _, re := range u.then {
		for ; at < len(body); at++ {
			if loc := re.FindStringSubmatchIndex(body[at]); loc != nil {
				captured = append(captured, captures(body[at], loc)...)
				break
			}
		}
		if at == len(body) {
			return titled{}, false
		}
		at++
	}
	t := titled{kind: u.kind, fatal: u.fatal || g.fatal, emulation: u.emulation, none: u.drop, complete: true}
	if t.kind == "" {
		t.kind = g.kind
	}
	function, top := "", ""
	for _, way := range u.walks {
		stack := walk(body, loc[0], way, u.skip)
		if len(stack) == 0 {
			continue
		}
		if function = u.choose(stack, &t); function != "" {
			break
		}
		if i := slices.IndexFunc(stack, func(f string) bool { return !waiting.MatchString(f) }); i >= 0 && top == "" {
			top = stack[i]
		}
	}
	if function == "" {
		function = cmp.Or(top, corrupted) // what is left of a trace that was cut off
		t.complete = len(u.walks) == 0
	}
	t.title = normalize(fill(u.title, captured, function))
	return t, true
}

// choose picks the function. Where that is the top of the stack, the stack goes into the fingerprint.
func (u *rule) choose(stack []string, t *titled) string {
	if u.pick != nil {
		return u.pick(stack)
	}
	const identifying = 3 // frames: more of them differ with the caller, fewer do not distinguish two bugs
	t.frames = stack[:min(len(stack), identifying)]
	return pickFirst(stack)
}

// walk goes through the lines, from byte at of the first one, and collects the frames that may be the culprit.
func walk(body []string, at int, way []step, skip *regexp.Regexp) []string {
	var stack []string
	add := func(candidates []string) {
		for _, f := range candidates {
			if f != "" && !irrelevant.MatchString(f) && (skip == nil || !skip.MatchString(f)) {
				stack = append(stack, canonical(readable(f)))
				return
			}
		}
	}
	n := 0
	for _, s := range way {
		for n < len(body) {
			text := body[n]
			if n == 0 {
				text = text[at:]
			}
			n++
			if injectedRE.MatchString(text) {
				break
			}
			if s.line != nil {
				if m := s.line.FindStringSubmatch(text); m != nil {
					add(m[1:])
					break
				}
				continue
			}
			if stackRE.MatchString(text) {
				break
			}
			add(frames(text))
		}
	}
	return stack
}

// captures are the groups of a match, "" for a group outside of it.
func captures(s string, loc []int) []string {
	var c []string
	for i := 2; i < len(loc); i += 2 {
		if loc[i] < 0 {
			c = append(c, "")
			continue
		}
		c = append(c, s[loc[i]:loc[i+1]])
	}
	return c
}

// fill puts the captures and the function into a title.
func fill(title string, captured []string, function string) string {
	for i, c := range captured {
		title = strings.Replace(title, "$"+strconv.Itoa(i+1), c, 1)
	}
	return strings.Replace(title, "$F", function, 1)
}
