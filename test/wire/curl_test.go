package wire

import (
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/app/store"
)

// The wire can be spoken with curl, as docs/wire.md shows.
func TestCurl(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	l := newLab(t)
	token, err := l.store.NewEnrollment(t.Context(), "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	call := func(method, credential, body string) (out map[string]any) {
		t.Helper()
		b, err := exec.CommandContext(t.Context(), "curl", "-sS", "-H", "Authorization: Bearer "+credential, "--json", body,
			"http://"+l.addr+"/gantry.v1.RunnerService/"+method).Output()
		if err == nil {
			err = json.Unmarshal(b, &out)
		}
		if err != nil {
			t.Fatalf("%s: %v: %s", method, err, b)
		}
		return out
	}
	id, ok := call(
		"Enroll", "", `{"token":"`+token+`","name":"by-hand","secretHash":"`+store.HashSecret("s3cret")+`"}`,
	)["runner"].(string)
	if !ok {
		t.Fatal("no runner")
	}
	if got := mustJSON(
		t, call("Heartbeat", id+".s3cret", `{"leases":["nonsense"],"ofTheFuture":1}`),
	); got != `{"lost":["nonsense"]}` {
		t.Errorf("heartbeat: %s", got)
	}
	if got := call("Heartbeat", id+".wrong", `{}`); got["code"] != "unauthenticated" {
		t.Errorf("wrong secret: %v", got)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
