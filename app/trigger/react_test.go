package trigger

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const app = 12345

func TestReact(t *testing.T) {
	const at = `"installation":{"id":7},"repository":{"full_name":"o/r"},`
	head := `"pull_request":{"number":3,"head":{"sha":"abc"}}`
	for _, tt := range []struct {
		name, event, body string
		want              Reaction
	}{
		{
			"opened", "pull_request", `{"action":"opened",` + at + head + `}`,
			Reaction{Pull: &Pull{Number: 3, HeadSHA: "abc", Action: "opened"}},
		},
		{
			"closed", "pull_request", `{"action":"closed",` + at + head + `}`,
			Reaction{Pull: &Pull{Number: 3, HeadSHA: "abc", Action: "closed", Closed: true}},
		},
		{
			"assigned", "pull_request", `{"action":"assigned",` + at + head + `}`,
			Reaction{Ignored: "pull_request assigned starts nothing"},
		},
		{
			"no head", "pull_request", `{"action":"opened",` + at + `"pull_request":null}`,
			Reaction{Refused: "the payload has no pull request with a head"},
		},
		{
			"no installation", "pull_request", `{"action":"opened","repository":{"full_name":"o/r"},` + head + `}`,
			Reaction{Refused: "the payload names no installation: the webhook is not the App's own"},
		},
		{
			"no repository", "pull_request", `{"action":"opened","installation":{"id":7},` + head + `}`,
			Reaction{Refused: "the payload names no repository"},
		},
		{
			"rerun", "check_run",
			`{"action":"rerequested",` + at +
				`"check_run":{"name":"smoke","head_sha":"abc","external_id":"x.1","app":{"id":12345},` +
				`"created_at":"2018-04-25 20:42:10"}}`,
			Reaction{Rerun: &Rerun{HeadSHA: "abc", ExternalID: "x.1", Name: "smoke"}},
		},
		{
			"rerun of another App's", "check_run",
			`{"action":"rerequested",` + at + `"check_run":{"head_sha":"abc","external_id":"x","app":{"id":1}}}`,
			Reaction{Ignored: "the check run is another App's"},
		},
		{
			"our own news", "check_run", `{"action":"completed",` + at + `"check_run":{"app":{"id":12345}}}`,
			Reaction{Ignored: "check_run completed starts nothing"},
		},
		{
			"rerun of all", "check_suite",
			`{"action":"rerequested",` + at + `"check_suite":{"head_sha":"abc","app":{"id":12345}}}`,
			Reaction{Rerun: &Rerun{HeadSHA: "abc"}},
		},
		{"ping", "ping", `{"zen":"…"}`, Reaction{Ignored: "a ping"}},
		{"unknown", "registry_package", `{}`, Reaction{Ignored: "registry_package events start nothing"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := Parse(tt.event, []byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, React(e, app)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseHostile(t *testing.T) {
	for body, want := range map[string]string{
		`[1]`:                        "payload is a array, not an object",
		`"x"`:                        "payload is a string, not an object",
		`{"action":1}`:               "payload's action is a number",
		`{"installation":{"id":""}}`: "payload's installation.id is a string",
		`{`:                          "payload is not JSON: unexpected end of JSON input",
		``:                           "payload is not JSON: unexpected end of JSON input",
	} {
		if _, err := Parse("push", []byte(body)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("pull_request", []byte(`{"action":"opened","pull_request":{"number":1}}`))
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		e, err := Parse(name, body)
		if err != nil {
			return
		}
		r := React(e, app)
		set := 0
		for _, is := range []bool{r.Ignored != "", r.Refused != "", r.Pull != nil, r.Rerun != nil} {
			if is {
				set++
			}
		}
		if set != 1 {
			t.Errorf("%d reactions: %+v", set, r)
		}
	})
}
