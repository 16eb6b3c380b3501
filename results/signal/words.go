package signal

// The words of the protocol. The helpers on the target print them and this package reads them, so they stand here once:
// Places puts them into the helpers' scripts.
const (
	Signal    = "LAVA_SIGNAL" // <LAVA_SIGNAL_TESTCASE …>
	Runner    = "LAVA_TEST_RUNNER"
	Multinode = "LAVA_MULTI_NODE" // <LAVA_MULTI_NODE> <LAVA_SEND …>
	Own       = "GANTRY_SIGNAL"   // a signal that LAVA does not have
	Trailer   = "GANTRY_TRAILER"
	Record    = "GANTRY_RECORD"
	Manifest  = "GANTRY_MANIFEST"
)

// What lines of the protocol begin with, and whole lines.
const (
	RecordStart   = "<" + Record + " "
	ManifestStart = "<" + Manifest + " "
	Exit          = runnerStart + "EXIT>" // the last that lava-test-runner prints

	lavaStart    = "<LAVA_"
	signalStart  = "<" + Signal + "_"
	runnerStart  = "<" + Runner + " "
	ownStart     = "<" + Own + " "
	trailerStart = "<" + Trailer + " "
)

// Places are the names by which scripts have the words, each with its word: what strings.NewReplacer takes.
func Places() []string {
	return []string{
		"@SIGNAL@", Signal, "@RUNNER@", Runner, "@MULTINODE@", Multinode, "@OWN@", Own, "@TRAILER@", Trailer,
		"@RECORD@", Record, "@MANIFEST@", Manifest,
	}
}
