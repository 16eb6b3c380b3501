package lavaequal

// allowed are the differences that may be, by job, each with its reason. The case is a pattern of path.Match. They were
// seen on Debian's lava-dispatcher 2023.01. One that no longer comes fails the test, so that the list stays true; but
// for those that come by chance.
func allowed() map[string][]Difference {
	return map[string][]Difference{
		"failing-step": of(Difference{Right: Ours, Why: whyEarly}, "lava/0_stops||fail"),
		"steps": of(Difference{
			Right: Ours, Why: whyEarly,
		}, "lava/1_one||fail", "lava/2_zero||fail", "lava/3_subshell||fail", "lava/4_unset||fail", "lava/5_syntax||fail",
			"lava/6_exec||fail"),
		"raise": of(Difference{Right: Ours, Why: whyNever}, "lava/1_never||fail"),
		"interactive-answers": of(Difference{
			Right: Ours, Why: whyNever,
		}, "lava/0_nothing-after-it||fail", "0_nothing-after-it/never||fail"),
		"interactive-after": of(Difference{
			Right: Ours, Why: whyAnswer, Chance: true,
		}, "1_talk/one|fail|pass", "1_talk/two|fail|pass"),
		"environment": of(Difference{Right: Ours, Why: whyQuote}, "1_quote/it||pass", "lava/1_quote||pass"),
		"results":     of(Difference{Right: Ours, Why: whyAbsent}, "1_expected/absent||fail"),
		"repeat": of(Difference{
			Right: Ours, Why: whyRepeat, Chance: true,
		}, "0_again/it#2||pass", "0_again/second||pass", "lava/0_again#2||pass"),
		"trace": of(Difference{Right: Ours, Why: whyEcho}, "0_trace/raw#2|pass|"),
		"noise": of(Difference{Right: Ours, Why: whyLost, Chance: true}, "0_noise/case-*||pass", "lava/0_noise||pass"),
		"names": append(
			of(Difference{Right: Ours, Why: whyName}, "0_names/two words||fail", "0_names/key=value||fail", "0_names/a>b||fail"),
			of(Difference{Right: Ours, Why: whyUnseen}, "1_places/discarded||fail", "1_places/to-a-file||fail")...,
		),
		"same-name": of(Difference{
			Right: Ours, Why: whyTwins,
		}, "0_same/it||pass", "lava/0_same||pass", "1_same/it||fail", "lava/1_same||pass"),
		"sets-open": append(
			of(Difference{Right: Ours, Why: whyLeak}, "1_next/outside|pass in set third|pass"),
			append(
				of(Difference{Right: Ours, Why: whyWord}, "0_open/in-third|pass in set third|pass in set third set"),
				of(Difference{Right: Ours, Why: whyRaw}, "2_block/odd|maybe|unknown")...,
			)...,
		),
		"formats":        formats(),
		"monitors-names": of(Difference{Right: Ours, Why: whyBogus}, "zephyr-kernel/four||unknown"),
		"damage":         damage(),
		"cut":            cut(),
		"cut-reference": of(Difference{
			Right: Ours, Why: whyEnds,
		}, "0_cut/log||pass", "0_cut/after||fail", "lava/0_cut|fail|pass", "1_next/it||fail", "lava/1_next||pass"),
	}
}

// Why the two differ.
const (
	whyEarly  = "LAVA says nothing of a run that a step ended early, and the job passes; here it has failed"
	whyNever  = "LAVA says nothing of what the job's end left out; here it is missing"
	whyAnswer = "LAVA takes the prompt that the block before left behind for the answer, and is one command behind from " +
		"then on"
	whyEcho   = "LAVA counts the shell's trace of the command as a second result"
	whyQuote  = "LAVA does not escape the quote, the shell cannot read the script, and the job passes without a result"
	whyAbsent = "this LAVA does not know `expected`; later ones fail the case that did not come, and so do we"
	whyRepeat = "LAVA's runner moves the list of its tests away: run again, it may find none, and the job passes " +
		"without the results"
	whyName   = "LAVA reads the signal by its blanks and signs: it cannot carry this name, and drops the result"
	whyUnseen = "the result was reported, and its output kept from the console; the manifest has it"
	whyTwins  = "LAVA refuses two definitions of one name; their suites are numbered, so we take them"
	whyLeak   = "in LAVA a set that is not closed goes on in the next definition"
	whyWord   = "LAVA takes the set's first word for its name"
	whyRaw    = "LAVA passes on a word that is no result"
	whyBogus  = "LAVA drops a result whose word it does not know; unknown here, with the word in its message"
	whyNumber = "LAVA drops the result because of its number; here the result counts, and a message says that the " +
		"number is none"
	whyNone   = "not a number: neither JSON nor LAVA's own database takes it; a message says so"
	whyUnits  = "LAVA drops units without a number"
	whySpaces = "LAVA cannot carry blanks in units, and drops the result"
	whyLeft   = "the command ended or killed LAVA's helper, and with it the result"
	whyFixup  = "in LAVA a definition's fixupdict takes the place of the usual words, and the result is dropped"
	whyEnds   = "a message of the kernel cut a reference's line: LAVA ends the job there, and the results after it are " +
		"lost"
	whyLost   = "a message of the kernel cut the result's line: LAVA drops it, and the job passes"
	whyUnset  = "a message of the kernel cut the line that opened the set"
	whySuite  = "a message of the kernel cut the line that started the run: LAVA puts its results into the suite before"
	whyEnd    = "a message of the kernel cut the line that ended the run: LAVA takes it for a failed one"
	whyBroken = "the line was damaged on its way, and LAVA drops the result; the manifest has it"
	whyWrong  = "a byte of the line was damaged on its way, and LAVA believes it; the checksum does not"
	whyDouble = "LAVA counts a line that comes twice as two results"
)

func formats() (all []Difference) {
	all = append(all, of(Difference{
		Right: Ours, Why: whyNumber,
	}, "0_numbers/hexadecimal||fail", "0_numbers/comma||fail", "0_numbers/with-unit||fail", "0_numbers/empty||fail")...)
	all = append(all, of(Difference{
		Right: Ours, Why: whyNone,
	}, "0_numbers/not-a-number|fail .nan|fail", "0_numbers/infinite|fail .inf|fail")...)
	all = append(all, of(Difference{Right: Either, Why: whyUnits}, "0_numbers/only-units|pass|pass ms")...)
	all = append(all, of(Difference{Right: Ours, Why: whySpaces}, "0_numbers/spaced-units||fail 5 per second")...)
	all = append(all, of(Difference{
		Right: Ours, Why: whyBogus,
	}, "1_words/mixed||unknown", "1_words/other||unknown", "1_words/status||unknown", "1_words/two-words||unknown")...)
	all = append(all, of(Difference{Right: Ours, Why: whyLeft}, "1_words/number||fail", "1_words/killed||fail")...)
	return append(all, of(Difference{Right: Either, Why: whyFixup}, "2_fixed/default-fixup||pass")...)
}

func cut() (all []Difference) {
	all = append(all, of(Difference{
		Right: Ours, Why: whyLost,
	}, "0_cut/in-prefix||pass", "0_cut/in-kind||fail", "0_cut/in-name||pass", "0_cut/before-result||fail",
		"0_cut/in-result||pass", "0_cut/at-end||pass", "0_cut/in-number||pass 12.5 V", "0_cut/failing||fail")...)
	all = append(all, of(Difference{Right: Ours, Why: whyUnset}, "0_cut/in-set|pass|pass in set first")...)
	all = append(all, of(Difference{
		Right: Ours, Why: whySuite,
	}, "0_cut/first|pass|", "0_cut/second|fail|", "1_other/first||pass", "1_other/second||fail")...)
	return append(all, of(Difference{Right: Ours, Why: whyEnd}, "lava/2_last|fail|pass")...)
}

func damage() (all []Difference) {
	all = append(all, of(Difference{
		Right: Ours, Why: whyBroken,
	}, "0_damage/wrapped-at-80-columns-in-a-name-*||fail", "0_damage/wrapped-at-80-columns-between-words||pass 1",
		"0_damage/a-byte-lost||fail", "0_damage/blank-lost||fail", "0_damage/end-lost||fail", "0_damage/newline-lost||pass",
		"0_damage/result-damaged||fail",
		"0_damage/colored-inside||fail", "0_damage/kept-back||fail")...)
	all = append(all, of(Difference{
		Right: Ours, Why: whyWrong,
	}, "0_damage/name-damage.|pass|", "0_damage/name-damaged||pass", "0_damage/number-damaged|pass 92.5|pass 12.5")...)
	return append(all, of(Difference{Right: Ours, Why: whyDouble}, "0_damage/doubled#2|pass|")...)
}
