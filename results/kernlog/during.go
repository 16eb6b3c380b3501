package kernlog

// During is what was going on when a finding began.
type During struct {
	Section     string // deploy, boot or test
	Suite, Case string
	Bound       bool // it cannot outlive a restart: even an ordered one is unexpected
}
