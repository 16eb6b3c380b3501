package kernlog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/kernlog"
)

func day(t *testing.T, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateTime, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestList(t *testing.T) {
	fingerprint := scan(oops)[0].Fingerprint
	for name, c := range map[string]struct {
		list    string
		log     string
		want    []string // title, fatal, reason
		expired int
	}{
		"title": {
			"allow: [{match: WARNING in frob_check, reason: known, until: 2026-05-05}]", warn,
			[]string{"WARNING in frob_check allowed: known"},
			0,
		},
		"other title": {
			"allow: [{match: WARNING in frob, reason: known, until: 2026-05-05}]", warn, []string{"WARNING in frob_check"}, 0,
		},
		"expression": {
			"allow: [{match: /in frob_/, reason: known, until: 2026-05-05}]", warn + oops,
			[]string{
				"WARNING in frob_check allowed: known",
				"BUG: unable to handle kernel NULL pointer dereference in frob_read allowed: known",
			},
			0,
		},
		"fingerprint": {
			"allow: [{match: '" + fingerprint + "', reason: known, until: 2026-05-05}]", oops,
			[]string{"BUG: unable to handle kernel NULL pointer dereference in frob_read allowed: known"},
			0,
		},
		"the day after": {
			"allow: [{match: WARNING in frob_check, reason: known, until: 2026-05-04}]", warn,
			[]string{"WARNING in frob_check"},
			1,
		},
		"denied message": {
			"deny: [{match: /EXT4-fs error/, reason: no, until: 2026-05-05}]", "[    1.000000] EXT4-fs error (device vda): oh\n",
			[]string{"EXT4-fs error (device vda): oh fatal denied: no"},
			0,
		},
		"denied number": {
			"deny: [{match: /irq 4\\d/, reason: no, until: 2026-05-05}]", "[    1.000000] lost irq 42\n",
			[]string{"lost irq NUM fatal denied: no"},
			0,
		},
		"deny beats allow": {
			"allow: [{match: /frob/, reason: known, until: 2026-05-05}]\n" +
				"deny: [{match: WARNING in frob_check, reason: no, until: 2026-05-05}]",
			warn,
			[]string{"WARNING in frob_check fatal denied: no"},
			0,
		},
		"denied, but old": {
			"deny: [{match: /EXT4-fs error/, reason: no, until: 2025-05-05}]", "[    1.000000] EXT4-fs error (device vda): oh\n",
			nil, 1,
		},
		"nothing":           {"", warn, []string{"WARNING in frob_check"}, 0},
		"empty list":        {"allow: []\ndeny: []\n", warn, []string{"WARNING in frob_check"}, 0},
		"unfounded comment": {"# none yet\n", warn, []string{"WARNING in frob_check"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			list, report := kernlog.ParseList([]byte(c.list), day(t, "2026-05-05 23:59:59"))
			if err := report.Err(); err != nil {
				t.Fatal(err)
			}
			var got []string
			s := kernlog.New(kernlog.Options{List: list, Found: func(f results.Finding) {
				text := f.Title
				if f.Fatal {
					text += " fatal"
				}
				if f.Allowed != "" {
					text += " allowed: " + f.Allowed
				}
				if f.Denied != "" {
					text += " denied: " + f.Denied
				}
				got = append(got, text)
			}})
			_, _ = s.Write([]byte(c.log))
			s.Flush()
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if n := len(list.Expired()); n != c.expired {
				t.Errorf("%d expired, want %d", n, c.expired)
			}
		})
	}
}

func TestBrokenList(t *testing.T) {
	for name, c := range map[string]struct{ list, want string }{
		"no mapping":     {"- x", "1:1: "},
		"unknown key":    {"alow: []", `1:1: alow: `},
		"unknown field":  {"allow:\n- {match: x, reason: y, until: 2026-01-01, unless: z}", "2:44: allow[0].unless: "},
		"twice":          {"allow: []\nallow: []", "2:1: "},
		"no date":        {"allow: [{match: x, reason: y, until: soon}]", `1:38: allow[0].until: "soon" is not a date`},
		"no reason":      {"allow: [{match: x, until: 2026-01-01}]", "allow[0].reason"},
		"empty reason":   {"allow: [{match: x, reason: '', until: 2026-01-01}]", "allow[0].reason"},
		"empty match":    {"allow: [{match: ' ', reason: x, until: 2026-01-01}]", "1:17: allow[0].match: it is empty"},
		"bad expression": {"allow: [{match: '/(/', reason: y, until: 2026-01-01}]", "bad expression"},
		"everything":     {"allow: [{match: '/.*/', reason: y, until: 2026-01-01}]", "matches everything"},
		"too many":       {"deny: [" + strings.Repeat("{match: x, reason: y, until: 2026-01-01},", 600) + "]", "600 entries"},
		"not YAML":       {"allow: [", "not YAML"},
		"null":           {"allow:\n", "1:7: allow: expected a list"},
		"not a list":     {"deny: x", "1:7: deny: "},
	} {
		t.Run(name, func(t *testing.T) {
			list, report := kernlog.ParseList([]byte(c.list), time.Time{})
			if report.Valid() || list != nil {
				t.Fatalf("accepted as %+v", list)
			}
			if err := report.Err(); !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q does not say %q", err, c.want)
			}
		})
	}
}
