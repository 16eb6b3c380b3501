// Package schema reads YAML into Go values with positions, in the manner of package flag: a type declares its fields
// once, as calls, and decoding, checks, defaults, documentation and JSON Schema all come from those calls.
//
// Scalars are resolved as PyYAML resolves them (YAML 1.1) or as YAML 1.2 does, whichever the file's readers expect. All
// faults of a file come back at once, each with its place.
package schema
