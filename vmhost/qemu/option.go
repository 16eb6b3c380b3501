package qemu

import "github.com/gantry-ci/gantry/vmhost/qemuarg"

// option is an option of the process: one of QEMU's, and what it means to the one who starts it.
type option struct {
	qemuarg.Option
	write bool   // the guest may write to the file
	sock  socket // the inherited stream inside the value
}

// socket names a stream that the process inherits.
type socket int

const (
	noSocket socket = iota
	consoleSocket
	qmpSocket
	resultsSocket
)

// parse reads one string of a device file or job.
func parse(s string, from qemuarg.Origin) ([]option, error) {
	list, err := qemuarg.Parse(s, from)
	opts := make([]option, len(list))
	for i, o := range list {
		opts[i].Option = o
	}
	return opts, err
}

// made is an option of our own.
func made(name, value string) option {
	return option{Option: qemuarg.Option{Name: name, Value: value, HasValue: value != "", From: qemuarg.FromDevice}}
}

// inherited is a character device on a stream that the process inherits.
func inherited(id string, s socket) option {
	o := made("chardev", "socket,id="+id)
	o.sock = s
	return o
}
