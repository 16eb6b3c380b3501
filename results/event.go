package results

import "time"

// Event is one record of a run: a line of events.jsonl. Exactly one of the payloads is set. Events are the record:
// everything else a run reports is their fold (Results.Apply).
type Event struct {
	Seq   int64     `json:"seq"` // 1, 2, 3, …; a gap is a loss
	Time  time.Time `json:"time"`
	Level string    `json:"level,omitempty"` // of the action, as LAVA numbers them: "2.3.1"

	Start   *Start   `json:"start,omitempty"`
	Step    *Step    `json:"step,omitempty"`
	Log     *Log     `json:"log,omitempty"`
	Accel   *Accel   `json:"accel,omitempty"`
	Finding *Finding `json:"finding,omitempty"`
	Case    *Case    `json:"case,omitempty"`
	Verdict *Verdict `json:"verdict,omitempty"`
}

// Start is the first event of an attempt.
type Start struct {
	Job     string `json:"job"`
	Device  string `json:"device"`
	Attempt int    `json:"attempt"` // 1 or 2
}

// Step is the start or the end of an action of the plan.
type Step struct {
	Name      string  `json:"name"`
	Try       int     `json:"try"`                 // of its failure_retry, from 1
	Namespace string  `json:"namespace,omitempty"` // the job's
	End       bool    `json:"end,omitempty"`
	Class     Class   `json:"class,omitempty"`
	Message   string  `json:"message,omitempty"`
	Duration  float64 `json:"duration_s,omitempty"`
}

// Log is a line for people. Level is debug, info, warning or error.
type Log struct {
	Level   string `json:"level"`
	Message string `json:"message"`
}

// Accel says how a guest is executed, and why so.
type Accel struct {
	Used string `json:"used"` // kvm or tcg
	Why  string `json:"why"`
}

// Finding is kernel trouble seen on a console.
type Finding struct {
	File        string `json:"file,omitempty"`
	Line        int    `json:"line"`                // 1-based line, by \n, in File or else in console.log
	Kind        string `json:"kind"`                // panic, oops, kasan, lockdep, …
	Title       string `json:"title"`               // in syzkaller's wording
	Fatal       bool   `json:"fatal"`               // the system cannot go on
	Emulation   bool   `json:"emulation,omitempty"` // a false alarm of software emulation: the lab's
	Fingerprint string `json:"fingerprint,omitempty"`
	Section     string `json:"section,omitempty"`   // deploy, boot or test: what was going on
	Namespace   string `json:"namespace,omitempty"` // the job's, of the console that it was seen on
	Allowed     string `json:"allowed,omitempty"`   // the reason on the allow list, if it is there
	Denied      string `json:"denied,omitempty"`    // the reason on the deny list, likewise
	Suite       string `json:"suite,omitempty"`     // the case during which it fell
	Case        string `json:"case,omitempty"`
	Text        string `json:"text,omitempty"`    // the lines of it
	Decoded     bool   `json:"decoded,omitempty"` // it was reported before; now its text has files and lines

	// Superseded says that a step was tried again after it: a boot that a later one overcame. The fold of the events sets
	// it.
	Superseded bool `json:"superseded,omitempty"`
}

// Results of a case.
const (
	Pass    = "pass"
	Fail    = "fail"
	Skip    = "skip"
	Unknown = "unknown"
	Missing = "missing" // expected or announced, but never reported
)

// Case is one result.
type Case struct {
	Suite       string   `json:"suite"` // "lava" for the pipeline's own steps, "0_smoke" for the first definition
	Set         *string  `json:"set"`
	Case        string   `json:"case"`
	Result      string   `json:"result"`
	Measurement *float64 `json:"measurement"`
	Units       *string  `json:"units"`
	DurationS   *float64 `json:"duration_s"`
	LogLine     *int     `json:"log_line"`      // 1-based line, by \n, in Log or else in console.log
	Log         string   `json:"log,omitempty"` // console-NAME.log
	Reference   *string  `json:"reference"`
	Message     string   `json:"message,omitempty"`
	Note        string   `json:"note,omitempty"`  // with ", " between several: "known failure", "flaky", "unsequenced", …
	Known       string   `json:"known,omitempty"` // the comment of the known failure that the case is
	Try         int      `json:"try,omitempty"`   // 2, 3, … when its definition was run again; 0 for the first
}

// Verdict is what a run comes to.
type Verdict struct {
	Verdict  string     `json:"verdict"` // pass|fail|incomplete|canceled
	Class    Class      `json:"class"`
	Message  string     `json:"message"`
	Complete bool       `json:"complete"`
	Evidence []Evidence `json:"evidence,omitempty"` // what decided, the most important first; at most MaxEvidence
}

// Evidence is a thing that a verdict rests on.
type Evidence struct {
	Kind    string `json:"kind"`               // one of the kinds below
	Name    string `json:"name"`               // "0_smoke/uname", "2.3.1 login-action", a finding's title
	Result  string `json:"result,omitempty"`   // of a case
	Class   Class  `json:"class,omitempty"`    // what it is a sign of
	LogLine int    `json:"log_line,omitempty"` // 1-based line in Log or else in console.log; 0 when it has none
	Log     string `json:"log,omitempty"`      // console-NAME.log
	Message string `json:"message,omitempty"`
}

// Kinds of evidence.
const (
	EvidenceCase    = "case"
	EvidenceFinding = "finding"
	EvidenceStep    = "step"
	EvidenceCount   = "count" // of a pass: how many cases there are
)
