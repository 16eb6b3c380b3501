package jobs

import (
	"strings"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Declared is a row of Methods.
type Declared struct {
	Section string // deploy, boot, test or command
	Name    string // tmpfs; of a test, the key that makes it one of its kind; of a command, nothing
	New     func() Method
}

// Methods lists the language's methods: the one table. Tests are tried in its order: definitions with docker are
// a docker test shell.
func Methods() []Declared {
	return []Declared{
		{"deploy", "tmpfs", func() Method { return new(DeployTmpfs) }},
		{"deploy", "tftp", func() Method { return new(DeployTftp) }},
		{"deploy", "nfs", func() Method { return new(DeployNfs) }},
		{"deploy", "nbd", func() Method { return new(DeployNbd) }},
		{"deploy", "fastboot", func() Method { return new(DeployFastboot) }},
		{"deploy", "downloads", func() Method { return new(DeployDownloads) }},
		{"deploy", "download", func() Method { return new(DeployDownload) }},
		{"deploy", "docker", func() Method { return new(DeployDocker) }},
		{"deploy", "flasher", func() Method { return new(DeployFlasher) }},
		{"deploy", "fvp", func() Method { return new(DeployFvp) }},
		{"deploy", "avh", func() Method { return new(DeployAvh) }},
		{"deploy", "iso-installer", func() Method { return new(DeployIsoInstaller) }},
		{"deploy", "mps", func() Method { return new(DeployMps) }},
		{"deploy", "musca", func() Method { return new(DeployMusca) }},
		{"deploy", "overlay", func() Method { return new(DeployOverlay) }},
		{"deploy", "qdl", func() Method { return new(DeployQdl) }},
		{"deploy", "recovery", func() Method { return new(DeployRecovery) }},
		{"deploy", "sata", func() Method { return new(DeployMedia) }},
		{"deploy", "sd", func() Method { return new(DeployMedia) }},
		{"deploy", "usb", func() Method { return new(DeployMedia) }},
		{"deploy", "ssh", func() Method { return new(DeploySSH) }},
		{"deploy", "u-boot-ums", func() Method { return new(DeployUBootUMS) }},
		{"deploy", "usbg-ms", func() Method { return new(DeployUsbgMS) }},
		{"deploy", "uuu", func() Method { return new(DeployUuu) }},
		{"deploy", "vemsd", func() Method { return new(DeployVemsd) }},

		{"boot", "qemu", func() Method { return new(BootQemu) }},
		{"boot", "qemu-nfs", func() Method { return new(BootQemuNfs) }},
		{"boot", "qemu-iso", func() Method { return new(BootQemuIso) }},
		{"boot", "u-boot", func() Method { return new(BootUBoot) }},
		{"boot", "barebox", func() Method { return new(BootBarebox) }},
		{"boot", "depthcharge", func() Method { return new(BootDepthcharge) }},
		{"boot", "grub", func() Method { return new(BootGrub) }},
		{"boot", "grub-efi", func() Method { return new(BootGrubEFI) }},
		{"boot", "ipxe", func() Method { return new(BootIpxe) }},
		{"boot", "uefi", func() Method { return new(BootUEFI) }},
		{"boot", "uefi-menu", func() Method { return new(BootUEFIMenu) }},
		{"boot", "bootloader", func() Method { return new(BootBootloader) }},
		{"boot", "fastboot", func() Method { return new(BootFastboot) }},
		{"boot", "uuu", func() Method { return new(BootUuu) }},
		{"boot", "qdl", func() Method { return new(BootQdl) }},
		{"boot", "recovery", func() Method { return new(BootRecovery) }},
		{"boot", "fvp", func() Method { return new(BootFvp) }},
		{"boot", "avh", func() Method { return new(BootAvh) }},
		{"boot", "docker", func() Method { return new(BootDocker) }},
		{"boot", "nodebooter", func() Method { return new(BootNodebooter) }},
		{"boot", "minimal", func() Method { return new(BootMinimal) }},
		{"boot", "kexec", func() Method { return new(BootKexec) }},
		{"boot", "new_connection", func() Method { return new(BootNewConnection) }},
		{"boot", "ssh", func() Method { return new(BootSSH) }},
		{"boot", "schroot", func() Method { return new(BootSchroot) }},
		{"boot", "dfu", func() Method { return new(BootDfu) }},
		{"boot", "cmsis-dap", func() Method { return new(BootCmsisDAP) }},
		{"boot", "pyocd", func() Method { return new(BootPyOCD) }},
		{"boot", "openocd", func() Method { return new(BootOpenOCD) }},
		{"boot", "jlink", func() Method { return new(BootJLink) }},
		{"boot", "gdb", func() Method { return new(BootGdb) }},
		{"boot", "musca", func() Method { return new(BootMusca) }},
		{"boot", "monitor", func() Method { return new(BootMonitor) }},

		{"test", "docker", func() Method { return &TestDefinitions{Docker: new(Docker)} }},
		{"test", "definitions", func() Method { return new(TestDefinitions) }},
		{"test", "interactive", func() Method { return new(TestInteractive) }},
		{"test", "monitors", func() Method { return new(TestMonitors) }},
		{"test", "services", func() Method { return new(TestServices) }},

		{"command", "", func() Method { return new(Command) }},
	}
}

// sectionNames are the keys of actions.
func sectionNames() []string { return []string{"boot", "command", "deploy", "test"} }

// selector is the key that names a method of a section.
func selector(section string) string {
	switch section {
	case "deploy":
		return "to"
	case "boot":
		return "method"
	}
	return ""
}

// methodOf is the method that the body of a section names; a fault if there is no such method.
func methodOf(methods []Declared, section string, body *schema.Node) (Declared, *schema.Fault) {
	key := selector(section)
	if key == "" {
		return kindOf(methods, section, body)
	}
	v := body.Get(key)
	if v == nil {
		return Declared{}, &schema.Fault{
			Path: key, Message: `the key "` + key + `" is missing`, Expected: "the name of a " + section + " method",
		}
	}
	var names []string
	wanted := strings.ReplaceAll(v.Text, "-", "_")
	for _, m := range methods {
		if m.Section != section {
			continue
		}
		// LAVA looks methods up with - as _, and only then compares the name.
		if v.Kind == schema.String && (m.Name == v.Text || strings.ReplaceAll(m.Name, "-", "_") == wanted) {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Declared{}, &schema.Fault{
		Path: key, At: v, Message: "there is no " + section + " method of this name", Found: v.Text,
		Expected: "one of " + strings.Join(names, ", "), Suggestion: schema.Nearest(v.Text, names),
	}
}

// kindOf finds tests, and the command, by the keys they have.
func kindOf(methods []Declared, section string, body *schema.Node) (Declared, *schema.Fault) {
	var kinds []string
	for _, m := range methods {
		if m.Section != section {
			continue
		}
		docker := m.Name == "docker" && body.Get("definitions") == nil
		if m.Name == "" || body.Get(m.Name) != nil && !docker {
			return m, nil
		}
		kinds = append(kinds, m.Name)
	}
	var like string
	for _, e := range body.Entries {
		if s := schema.Nearest(e.Key.Text, kinds); s != "" {
			like = s
		}
	}
	if section != "test" {
		return Declared{}, &schema.Fault{
			Message: "an action begins with one of " + strings.Join(sectionNames(), ", "), Found: section,
			Expected: "one of " + strings.Join(sectionNames(), ", "), Suggestion: schema.Nearest(section, sectionNames()),
		}
	}
	return Declared{}, &schema.Fault{
		Message: "there is no such kind of test", Expected: "one of the keys definitions, interactive, monitors, services",
		Suggestion: like,
	}
}
