package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
)

// schemaBase is where editors find the JSON Schemas.
const schemaBase = "https://raw.githubusercontent.com/gantry-ci/gantry/main/jobs/schemas/"

// JSONSchema is the JSON Schema of a kind of file, for editors.
func JSONSchema(kind FileKind) ([]byte, error) {
	id := schemaBase + string(kind) + ".json"
	switch kind {
	case KindJob:
		return schema.Document(id, "LAVA v2 job definition", new(jobs.Job))
	case KindTestdef:
		return schema.Document(id, "Lava-Test Test Definition 1.0", new(jobs.TestDefinition))
	case KindDevice:
		return schema.Document(id, "gantry device file", jobs.DeviceForms()...)
	case KindConfig:
		return schema.Document(id, Path, new(Config))
	}
	return nil, fmt.Errorf("describe %q: there is no such kind of file", kind)
}

// Manual is the generated part of docs/language.md.
func Manual() string {
	m := new(manual)
	common := keys(new(jobs.Common))
	m.object("Job", new(jobs.Job))
	m.object("Every action", new(jobs.Common))
	m.object("Timeout", new(jobs.Timeout))
	m.table("Image", imageRows())
	m.object("Container", new(jobs.Docker))
	m.object("Every deploy", new(jobs.DeployOverlay), append(slices.Clone(common), "to")...)
	m.object(
		"Every boot, and most of them", new(jobs.BootMinimal),
		append(slices.Clone(common), "method", "reset", "pre_power_command", "pre_os_command")...,
	)
	for _, d := range jobs.Methods() {
		without := slices.Clone(common)
		switch {
		case d.Section == "deploy":
			without = append(without, "os", "authorize", "overlay_backend")
		case d.Section == "boot":
			without = append(
				without, "parameters", "soft_reboot", "ignore_kernel_messages", "auto_login", "transfer_overlay", "prompts",
			)
		case d.Name == "docker":
			without = append(without, "definitions")
		}
		for i, o := range jobs.Forms(d.New()) {
			title := strings.TrimSpace(d.Section + " " + d.Name)
			if i > 0 {
				title += ", the other form"
			}
			m.object(title, o, without...)
		}
	}
	m.object("Test definition", new(jobs.TestDefinition))
	forms := jobs.DeviceForms()
	m.object("Device, short form", forms[1])
	m.object("Device, as LAVA renders it", forms[0])
	m.object(Path, new(Config))
	return m.String()
}

// manual is a reference in Markdown.
type manual struct{ strings.Builder }

// object writes the keys of an object, without those that are written elsewhere.
func (m *manual) object(title string, o schema.Object, without ...string) {
	rows := slices.DeleteFunc(schema.Rows(o), func(r schema.Row) bool {
		top, _, _ := strings.Cut(strings.ReplaceAll(r.Key, "[", "."), ".")
		return slices.Contains(without, top) || strings.HasPrefix(r.Key, "actions[]") // each has its own table
	})
	m.table(title, unbundled(rows))
}

func (m *manual) table(title string, rows []schema.Row) {
	m.WriteString("\n### " + title + "\n\n")
	if len(rows) == 0 {
		m.WriteString("Nothing of its own.\n")
		return
	}
	m.WriteString("| key | takes | default | |\n|---|---|---|---|\n")
	for _, r := range rows {
		star := ""
		if r.Required {
			star = "*"
		}
		_, _ = fmt.Fprintf(
			m, "| `%s`%s | %s | %s | %s |\n", r.Key, star, cell(r.Expected), cell(r.Default), cell(r.Doc),
		) // a strings.Builder never fails
	}
}

// imageRows are the keys of an image.
func imageRows() []schema.Row {
	const prefix = "images.NAME."
	var out []schema.Row
	for _, r := range schema.Rows(new(jobs.DeployDownload)) {
		if key, ok := strings.CutPrefix(r.Key, prefix); ok && !strings.Contains(key, ".NAME.") {
			r.Key = key
			out = append(out, r)
		}
	}
	return out
}

// bundles are objects with a table of their own: where a mapping has the key, all of the keys are left out.
func bundles() map[string][]string {
	images := []string{"overlays"}
	for _, r := range imageRows() {
		images = append(images, r.Key)
	}
	return map[string][]string{
		"sha256sum":    images,
		"days":         keys(new(jobs.Timeout)),
		"metadata":     keys(new(jobs.TestDefinition)),
		"network_from": {"local", "container_name", "network_from", "login"},
		"login_prompt": {
			"login_prompt", "username", "password_prompt", "password", "login_commands", "ignore_kernel_messages",
		},
	}
}

func unbundled(rows []schema.Row) []schema.Row {
	known := bundles()
	all := map[string]bool{}
	for _, r := range rows {
		all[r.Key] = true
	}
	inside := func(key string) bool {
		for i, c := range key {
			if c != '.' || strings.HasSuffix(key[:i], ".") {
				continue
			}
			first, _, _ := strings.Cut(key[i+1:], ".")
			for marker, keys := range known {
				if all[key[:i]+"."+marker] && slices.Contains(keys, first) {
					return true
				}
			}
		}
		return false
	}
	return slices.DeleteFunc(rows, func(r schema.Row) bool { return inside(r.Key) })
}

func keys(o schema.Object) []string {
	var out []string
	for _, r := range schema.Rows(o) {
		out = append(out, r.Key)
	}
	return out
}

// cell is text in a table of Markdown.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(s)
}
