package jobs

import (
	"github.com/gantry-ci/gantry/internal/schema"
)

// BootMinimal powers the target on and waits for a prompt.
type BootMinimal struct {
	Boot
	Login
	PrePowerCommand, PreOSCommand bool
	Reset                         bool // true when the file does not say
}

// Fields declares the method.
func (p *BootMinimal) Fields(f *schema.Fields) {
	p.Reset = true
	p.fields(f, "minimal")
	p.transfer(f)
	f.Optional("pre_power_command", schema.Flag(&p.PrePowerCommand), "Run the device's command before power.")
	f.Optional("pre_os_command", schema.Flag(&p.PreOSCommand), "Run the device's command before the system.")
	f.Optional("reset", schema.Flag(&p.Reset), "Reset the board first.")
}

// BootKexec boots another kernel from the running one.
type BootKexec struct {
	Boot
	Login
	BootMessage                                string
	Deploy                                     bool // use what an earlier deploy provided; true when the file does not say
	Command, Kernel, DTB, Initrd, KernelConfig string
	Options                                    []string
	OnPanic                                    bool
}

// Fields declares the method.
func (p *BootKexec) Fields(f *schema.Fields) {
	p.Deploy = true
	p.fields(f, "kexec")
	p.transfer(f)
	f.Required("boot_message", schema.Text(&p.BootMessage), "What the new kernel says first.")
	f.Optional("deploy", schema.Flag(&p.Deploy), "Use the files of an earlier deploy.")
	f.Optional("command", schema.Text(&p.Command), "kexec's path.")
	f.Optional("kernel", schema.Text(&p.Kernel), "The kernel's path on the target.")
	f.Optional("dtb", schema.Text(&p.DTB), "The device tree's path on the target.")
	f.Optional("initrd", schema.Text(&p.Initrd), "The initial RAM disk's path on the target.")
	f.Optional("options", schema.Texts(&p.Options), "Options of kexec.")
	f.Optional("kernel-config", schema.Text(&p.KernelConfig), "Where the kernel's configuration is, to check it.")
	f.Optional("on_panic", schema.Flag(&p.OnPanic), "Load the kernel for a crash, and crash.")
}

// BootNewConnection opens another console.
type BootNewConnection struct {
	Boot
	Login
	Connection string
}

// Fields declares the method.
func (p *BootNewConnection) Fields(f *schema.Fields) {
	p.fields(f, "new_connection")
	f.Required("connection", schema.Text(&p.Connection), "Which of the device's connections.")
	p.transfer(f)
}

// BootSSH logs in by ssh.
type BootSSH struct {
	Boot
	Prompts         []string
	HostID, HostKey string // what an earlier action of another role sent
}

// Fields declares the method.
func (p *BootSSH) Fields(f *schema.Fields) {
	p.fields(f, "ssh")
	f.Optional("prompts", prompts(&p.Prompts), promptsDoc)
	f.Optional("parameters", schema.Sub(sshParameters{p}), "Where, as another role said.")
}

type sshParameters struct{ *BootSSH }

func (s sshParameters) Fields(f *schema.Fields) {
	f.Optional("hostID", schema.Text(&s.HostID), "The message that has the address.")
	f.Optional("host_key", schema.Text(&s.HostKey), "Its key that is the address.")
}

// BootSchroot enters a change root on the target.
type BootSchroot struct {
	Boot
	Prompts             []string
	Connection, Schroot string
}

// Fields declares the method.
func (p *BootSchroot) Fields(f *schema.Fields) {
	p.fields(f, "schroot")
	f.Optional("prompts", prompts(&p.Prompts), promptsDoc)
	f.Required("connection", schema.OneOf(&p.Connection, "ssh"), "How.")
	f.Required("schroot", schema.Text(&p.Schroot), "Which change root.")
}
