package plan

import "github.com/gantry-ci/gantry/internal/fetch"

// Policy is what a run may do on this runner. The zero value is a served job's: nothing of the host, nothing of the
// lab's own network.
type Policy struct {
	Operator  bool     // the operator's own job, by gantry run: host files, private addresses, any emulator option
	FileRoots []string // folders that file: URLs of served jobs may lead to
	URLs      []string // prefixes of http URLs allowed although their host is the lab's own
	// ConsoleLimit is the most bytes that the consoles of an attempt may print; 0 for no limit.
	ConsoleLimit int64
}

// Fetch is what the run may fetch.
func (p Policy) Fetch() fetch.Policy {
	return fetch.Policy{Host: p.Operator, FileRoots: p.FileRoots, URLs: p.URLs}
}
