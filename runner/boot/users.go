package boot

import (
	"cmp"
	"slices"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/plan"
)

// users are the namespaces of a plan that use what a target has for one of them only. Actions ask in the order of the
// job: the first one to ask is the user.
type users struct {
	consoles map[string]string // by the console's name
	login    string            // for results by ssh
}

// console refuses a console that another namespace has open: two readers would each get some of its bytes.
func (u *users) console(b *plan.Builder, console, namespace string) {
	if u.consoles == nil {
		u.consoles = map[string]string{}
	}
	user, ok := u.consoles[console]
	if !ok {
		u.consoles[console] = namespace
		return
	}
	if user != namespace {
		b.Errorf(
			"console %q is open in namespace %q already; a test of another namespace uses it with connection-namespace: %s",
			console, user, user,
		)
	}
}

// resultsLogin refuses tests in a second namespace where results are followed by ssh: the device file has one login,
// and so one target that it leads to.
func (u *users) resultsLogin(b *plan.Builder, namespace string) {
	d := b.Target.Device
	if d == nil || d.ResultsSSH == nil || !tests(b.Job, namespace) {
		return
	}
	if u.login == "" {
		u.login = namespace
	}
	if u.login == namespace {
		return
	}
	advice := ""
	if b.Target.Guests != nil {
		advice = "; with results: virtio-serial each guest has a port of its own"
	}
	b.Errorf(
		"the device file's results by ssh are those of one namespace's tests, which is %q, and %q has tests, too%s", u.login,
		namespace, advice,
	)
}

// tests says whether definitions are run in what a namespace has booted.
func tests(j *jobs.Job, namespace string) bool {
	return slices.ContainsFunc(j.Actions, func(m jobs.Method) bool {
		p, ok := m.(*jobs.TestDefinitions)
		return ok && cmp.Or(p.ConnectionNamespace, p.Namespace) == namespace
	})
}
