package signal

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWords reads results and measurements as people write them; test/lavaequal holds the same against LAVA.
func TestWords(t *testing.T) {
	g := &guest{}
	for _, s := range []string{
		"<LAVA_SIGNAL_STARTRUN 0_plain 7_1>",
		"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=capitals RESULT=PASS>",
		"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=bad RESULT=FAIL MEASUREMENT=1_000>",
		"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=left-out RESULT=SKIP>",
		"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=mixed RESULT=Pass>",
		"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=foreign RESULT=nok>",
		"<LAVA_SIGNAL_ENDRUN 0_plain 7_1>",
		"<LAVA_SIGNAL_STARTRUN 1_fixed 7_2>",
		"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=foreign RESULT=nok>",
		"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=known RESULT=pass>",
		"<LAVA_SIGNAL_ENDRUN 1_fixed 7_2>",
	} {
		g.signal(s)
	}
	g.manifest()
	g.exit()
	defs := []Definition{{Run: "0_plain"}, {Run: "1_fixed", Fixup: map[string]string{"ok": "pass", "nok": "fail"}}}
	items, sum := read(Options{Sequenced: true, Definitions: defs}, g.out.String(), 64)
	var got []string
	for _, it := range items {
		if it.Case != nil {
			got = append(got, show(it.Case))
		}
	}
	want := []string{
		"0_plain||capitals|pass", "0_plain||bad|fail|1000", "0_plain||left-out|skip", "0_plain||mixed|unknown",
		"0_plain||foreign|unknown", "lava||0_plain|pass",
		"1_fixed||foreign|fail", "1_fixed||known|pass", "lava||1_fixed|pass",
	}
	if diff := cmp.Diff(want, got); diff != "" || !sum.Complete() {
		t.Errorf("cases (-want +got):\n%s\nsummary %+v", diff, sum)
	}
}
