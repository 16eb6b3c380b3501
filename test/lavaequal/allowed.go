package lavaequal

// allowed are the differences that may be, by job, each with its reason. The case is a pattern of path.Match. They were
// seen on Debian's lava-dispatcher 2023.01.
func allowed() map[string][]Difference {
	const (
		early  = "LAVA says nothing of a run that a step ended early, and the job passes; here it has failed"
		answer = "LAVA takes the prompt that the block before left behind for the answer, and is one command behind from then on"
		echo   = "LAVA counts the shell's trace of the command as a second result"
		quote  = "LAVA does not escape the quote, the shell cannot read the script, and the job passes without a result"
		absent = "this LAVA does not know `expected`; later ones fail the case that did not come, and so do we"
		noise  = "LAVA lost the result: the kernel's message split its line"
		repeat = "LAVA's runner moves the list of its tests away: run again, it may find none, and the job passes without the results"
	)
	return map[string][]Difference{
		"failing-step":      {{"lava/0_stops", "", "fail", early}},
		"interactive-after": {{"1_talk/one", "fail", "pass", answer}, {"1_talk/two", "fail", "pass", answer}},
		"environment":       {{"1_quote/it", "", "pass", quote}, {"lava/1_quote", "", "pass", quote}},
		"results":           {{"1_expected/absent", "", "fail", absent}},
		"repeat": {
			{"0_again/it#2", "", "pass", repeat}, {"0_again/second", "", "pass", repeat}, {"lava/0_again#2", "", "pass", repeat},
		},
		"trace": {{"0_trace/raw#2", "pass", "", echo}},
		"noise": {{"0_noise/case-*", "", "pass", noise}, {"lava/0_noise", "", "pass", noise}},
	}
}
