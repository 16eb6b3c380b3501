// Package vmhost knows guests: what this host can run (Probe), and below it the KVM probe and the QEMU back end. It knows no
// jobs and no boards.
package vmhost
