// Package config reads .github/gantry.yml: which GitHub events start which jobs on which targets. Its short forms
// expand to LAVA job definitions.
package config
