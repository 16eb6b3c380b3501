package cli

type validateCmd struct{}

func (c *validateCmd) Run(e *env) error { return nil }



type devCmd struct{}

func (c *devCmd) Run(e *env) error { return nil }

type appCmd struct{}

func (c *appCmd) Run(e *env) error { return nil }

type runnerCmd struct{}

func (c *runnerCmd) Run(e *env) error { return nil }

type labCmd struct{}

func (c *labCmd) Run(e *env) error { return nil }
