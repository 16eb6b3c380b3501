package plan

import "time"

// Connection is the connection timeout of the step now running: the longest wait for one answer of the target, where
// LAVA bounds such waits.
func (r *Run) Connection() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.node == nil {
		return 0
	}
	return r.node.Connection
}

// Section is that of the step now running: what a panic means depends on it.
func (r *Run) Section() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.node == nil {
		return ""
	}
	return r.node.Section
}

// During says which case is running, as far as the target tells; "", "" between cases.
func (r *Run) During(suite, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.suite, r.name = suite, name
	r.moves++
}

// Progress changes whenever the running test goes on to another case.
func (r *Run) Progress() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.moves
}

// Bind says that a program runs on the system which ends with it, so that a restart, even an ordered one, breaks the
// step; the function returned says that it has ended.
func (r *Run) Bind() (free func()) {
	set := func(to bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bound = to
	}
	set(true)
	return func() { set(false) }
}

// Bound tells whether such a program runs.
func (r *Run) Bound() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bound
}

// Case is the one that During said.
func (r *Run) Case() (suite, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.suite, r.name
}
