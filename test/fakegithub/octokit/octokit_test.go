package octokit

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestTrim keeps what is asked for, and what that refers to in turn.
func TestTrim(t *testing.T) {
	doc := object{
		"openapi": "3.0.3",
		"paths": object{
			"/a": object{
				"get":    object{"example": 1, "responses": object{"200": object{"$ref": "#/components/responses/one"}}},
				"delete": object{"responses": object{"200": object{"$ref": "#/components/responses/two"}}},
			},
			"/b": object{"get": object{}},
		},
		"components": object{
			"responses": object{"one": object{"schema": object{"$ref": "#/components/schemas/loop"}}, "two": object{}},
			"schemas": object{
				"loop": object{
					"properties": object{"self": object{"$ref": "#/components/schemas/loop"}, "example": object{"type": "string"}},
				},
				"lost": object{},
			},
		},
	}
	paths, err := keepOperations(doc, []string{"GET /a"})
	if err != nil {
		t.Fatal(err)
	}
	tr := trimmer{doc: doc, components: object{}}
	if err := tr.follow(paths); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(object{"paths": paths, "components": tr.components})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"components":{"responses":{"one":{"schema":{"$ref":"#/components/schemas/loop"}}},` +
		`"schemas":{"loop":{"properties":{"example":{"type":"string"},"self":{"$ref":"#/components/schemas/loop"}}}}},` +
		`"paths":{"/a":{"get":{"responses":{"200":{"$ref":"#/components/responses/one"}}}}}}`
	if string(got) != want {
		t.Errorf("trimmed to %s", got)
	}
	if _, err := keepOperations(doc, []string{"PUT /a"}); err == nil || !strings.Contains(err.Error(), "PUT /a") {
		t.Errorf("an operation that GitHub lacks: %v", err)
	}
}

// TestTrimLikeByHand compares with a trim that was made by other means.
func TestTrimLikeByHand(t *testing.T) {
	other, err := os.ReadFile("../../../../shared/corpus/github-openapi-trim.json")
	if err != nil {
		t.Skipf("no trim to compare with: %v", err)
	}
	files, err := Locate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.ReadFile(files.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	read := func(data []byte) (paths, schemas object) {
		var doc struct {
			Paths      object
			Components struct{ Schemas object }
		}
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		return doc.Paths, doc.Components.Schemas
	}
	ourPaths, ourSchemas := read(ours)
	otherPaths, otherSchemas := read(other)
	compared := 0
	for path := range ourPaths {
		if otherPaths[path] != nil {
			compared++
		}
	}
	if compared < 20 {
		t.Errorf("only %d paths in common", compared)
	}
	for _, name := range []string{"check-run", "check-suite", "pull-request", "hook-delivery", "app-permissions"} {
		want, isObject := otherSchemas[name].(object)
		if !isObject {
			continue
		}
		dropExamples(want, false)
		a, _ := json.Marshal(ourSchemas[name])
		b, _ := json.Marshal(want)
		if string(a) != string(b) {
			t.Errorf("schema %s differs", name)
		}
	}
}

// TestEnsureTwice finds everything in place, also for several at once.
func TestEnsureTwice(t *testing.T) {
	dir, err := Dir()
	if err != nil {
		t.Fatal(err)
	}
	files, err := Ensure(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	before := modified(t, files.OpenAPI)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if again, err := Ensure(t.Context(), dir); err != nil || again != files {
				t.Errorf("%v, %v", again, err)
			}
		})
	}
	wg.Wait()
	if !modified(t, files.OpenAPI).Equal(before) {
		t.Error("it was made again")
	}
	examples, err := files.ReadExamples()
	if err != nil || !slices.ContainsFunc(examples, func(e Example) bool { return e.Event == "pull_request" }) {
		t.Errorf("examples: %d, %v", len(examples), err)
	}
}

func modified(t *testing.T, name string) time.Time {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

// TestDamagedPackage is fetched anew, and never used when it is not what was pinned.
func TestDamagedPackage(t *testing.T) {
	dir, bin := t.TempDir(), t.TempDir()
	npm := "#!/bin/sh\n# npm pack --silent --pack-destination DIR NAME\necho other >$4/" + examplesPackage().tarball + "\n"
	if err := os.WriteFile(filepath.Join(bin, "npm"), []byte(npm), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	p := examplesPackage()
	if err := os.WriteFile(filepath.Join(dir, p.tarball), []byte("half a file"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := p.verify(filepath.Join(dir, p.tarball)); err == nil || !strings.Contains(err.Error(), "SHA-512") {
		t.Errorf("a damaged package: %v", err)
	}
	if _, err := p.pack(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "SHA-512") {
		t.Errorf("a package with another sum than pinned: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "pack-*"))
	if err != nil || left != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
