package netboot

// MaxConnections is for tests.
const MaxConnections = maxConnections
