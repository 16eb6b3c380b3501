package kernlog

// During is what was going on when a finding began.
type During struct {
	Section     string // deploy, boot or test
	Suite, Case string
	Bound       bool // it does not survive a restart, so that even an ordered restart is unexpected
}
