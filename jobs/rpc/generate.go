package rpc

//go:generate npx --yes @bufbuild/buf@1.75.0 lint
//go:generate npx --yes @bufbuild/buf@1.75.0 generate
