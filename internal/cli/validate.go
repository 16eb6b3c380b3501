package cli

type validateCmd struct {
	File []string `arg:"" help:"Files."`
}

func (c *validateCmd) Run(e *env) error { return nil }
