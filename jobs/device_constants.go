package jobs

import (
	"strings"

	"github.com/gantry-ci/gantry/internal/schema"
)

// constants reads the constants that we know out of a free mapping.
func constants(c *Constants) schema.Type {
	return schema.Tested(schema.Keeping(&c.Node, schema.Sub(constantsBlock{c})), func(n *schema.Node) *schema.Fault {
		for key, dst := range map[string]*string{
			"posix.lava_test_sh_cmd":      &c.TestShell,
			"posix.lava_test_results_dir": &c.TestResultsDir,
			"default-shell-prompt":        &c.DefaultShellPrompt,
			"kernel-start-message":        &c.KernelStartMessage,
			"shutdown-message":            &c.ShutdownMessage,
		} {
			at := n
			for part := range strings.SplitSeq(key, ".") {
				at = at.Get(part)
			}
			switch {
			case at == nil || at.Kind == schema.Null:
			case at.Kind != schema.String:
				return &schema.Fault{
					Path: key, At: at, Message: "expected a string, found a " + at.Kind.String(), Found: at.Kind.String(),
					Expected: "a string",
				}
			default:
				*dst = at.Text
			}
		}
		if posix := n.Get("posix"); posix != nil && posix.Kind != schema.Map {
			return &schema.Fault{
				Path: "posix", At: posix, Message: "expected a mapping, found a " + posix.Kind.String(), Found: posix.Kind.String(),
				Expected: "a mapping",
			}
		}
		c.SpawnMaxread = number(n.Get("spawn_maxread"), 4092)
		c.FailureRetry = number(n.Get("failure_retry"), 1)
		c.BootRetry = number(n.Get("boot_retry"), 1)
		return nil
	})
}

type constantsBlock struct{ *Constants }

func (c constantsBlock) Fields(f *schema.Fields) {
	f.Open()
	f.Optional(
		"gantry-results",
		schema.Either("virtio-serial, or a mapping with ssh", resultsWay(&c.Results, &c.ResultsSSH), schema.Exactly()),
		"How results are sent beside the console.",
	)
}
