package config

import (
	"fmt"
	"path"
	"strings"

	"github.com/gantry-ci/gantry/internal/schema"
)

// jobList reads the jobs in their order.
func jobList(dst *[]*Job) schema.Type {
	var byName map[string]*Job
	names := schema.Matching(
		new(string), jobNameRE, "a name of up to 100 letters, digits, _ and -, that does not begin with a digit or -",
	)
	return schema.Tested(schema.MapLike(&byName, names, func(j **Job) schema.Type {
		*j = new(Job)
		return schema.Sub(*j)
	}), func(n *schema.Node) *schema.Fault {
		*dst = nil
		for _, e := range n.Entries {
			j := byName[e.Key.Text]
			j.Name = e.Key.Text
			*dst = append(*dst, j)
		}
		if len(*dst) == 0 {
			return &schema.Fault{Message: "there are no jobs", Expected: "at least one job"}
		}
		return nil
	})
}

func modes(dst *[]string) schema.Type {
	const what = "a mode such as selinux=enforcing, fips=on, apparmor=on, lockdown=integrity or secureboot=on"
	var one string
	item := func(s *string) schema.Type { return schema.Matching(s, modeRE, what) }
	return schema.Either(what+", or a list of them", schema.Then(item(&one), func() {
		*dst = []string{one}
	}), schema.ListOf(dst, item))
}

// Fields declares the block.
func (l *Login) Fields(f *schema.Fields) {
	f.Required("username", schema.Limited(&l.Username, 1, 100), "Who logs in.")
	f.Optional("password", schema.Limited(&l.Password, 1, 100), "The password of a test image; it is no secret.")
}

// Fields declares a step.
func (s *Step) Fields(f *schema.Fields) {
	f.Place(&s.Position)
	f.Optional(
		"name", schema.Limited(&s.Name, 1, 200), "The case's name; made from the command when the file does not say.",
	)
	f.Required("run", schema.Limited(&s.Run, 1, 1<<16), "The command, for /bin/sh, in the checkout.")
	f.Optional("env", env(&s.Env), "Variables of this step.")
	f.Optional("working-directory", repositoryPath(&s.Dir), "Where in the checkout it runs.")
	f.Optional("timeout", Duration(&s.Timeout), "How long it may take.")
}

func env(dst *map[string]string) schema.Type {
	names := schema.Matching(new(string), envRE, "a name of letters, digits and _")
	return schema.MapLike(dst, names, func(v *string) schema.Type {
		return schema.Parsed(v, "a string", func(s string) (string, error) { return s, nil })
	})
}

func writes(dst *[]Write) schema.Type {
	var byName map[string]*Write
	names := schema.OneOf(new(string), "sd", "usb", "sata")
	return schema.Tested(schema.MapLike(&byName, names, func(w **Write) schema.Type {
		*w = new(Write)
		return schema.Parsed(&(*w).From, "an artifact, a URL, or a path", ParseReference)
	}), func(n *schema.Node) *schema.Fault {
		*dst = nil
		for _, e := range n.Entries {
			*dst = append(*dst, Write{e.Key.Position, e.Key.Text, byName[e.Key.Text].From})
		}
		return nil
	})
}

// needs is a job, a list of jobs, or a mapping of jobs to how they are needed.
func needs(dst *[]Need) schema.Type {
	var names []string
	var how map[string]string
	plain := schema.Tested(list(&names), func(n *schema.Node) *schema.Fault {
		*dst = nil
		for i, name := range names {
			at := n.Position
			if n.Kind == schema.List {
				at = n.Items[i].Position
			}
			*dst = append(*dst, Need{at, name, false})
		}
		return nil
	})
	mapped := schema.Tested(schema.MapOf(&how, func(s *string) schema.Type {
		return schema.OneOf(s, "passed", "same-device")
	}), func(n *schema.Node) *schema.Fault {
		*dst = nil
		for _, e := range n.Entries {
			*dst = append(*dst, Need{e.Key.Position, e.Key.Text, how[e.Key.Text] == "same-device"})
		}
		return nil
	})
	return schema.Either("a job, a list of jobs, or a mapping of jobs to passed or same-device", plain, mapped)
}

// repositoryPath is a path below the repository's root.
func repositoryPath(dst *string) schema.Type {
	return schema.Parsed(dst, "a path in the repository", func(s string) (string, error) {
		clean := path.Clean(s)
		if s == "" || path.IsAbs(s) || clean == ".." || strings.HasPrefix(clean, "../") || strings.ContainsAny(s, "\x00\n") {
			return "", fmt.Errorf("%q is no path below the repository's root", s)
		}
		return clean, nil
	})
}
