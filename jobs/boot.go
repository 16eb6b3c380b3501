package jobs

import (
	"github.com/gantry-ci/gantry/internal/schema"
)

// Boot is what every boot action may say.
type Boot struct {
	Common
	Parameters           BootParameters
	SoftReboot           []string // commands
	IgnoreKernelMessages bool
}

// BootParameters are the console messages that mark the phases of a boot.
type BootParameters struct {
	BootloaderFinalMessage, KernelStartMessage, ShutdownMessage string
}

// Fields declares the block.
func (p *BootParameters) Fields(f *schema.Fields) {
	f.Optional("bootloader-final-message", schema.Text(&p.BootloaderFinalMessage), "What the boot loader says last.")
	f.Optional("kernel-start-message", schema.Text(&p.KernelStartMessage), "What the kernel says first.")
	f.Optional("shutdown-message", schema.Text(&p.ShutdownMessage), "What the system says when it goes down.")
}

// fields declares a boot action by the method of that name.
func (p *Boot) fields(f *schema.Fields, method string) {
	p.Common.Fields(f)
	f.Optional("parameters", schema.Sub(&p.Parameters), "Messages to wait for, in place of the device's.")
	f.Optional("soft_reboot", schema.TextOrTexts(&p.SoftReboot), "Commands that reboot the system.")
	f.Optional(
		"ignore_kernel_messages", schema.Flag(&p.IgnoreKernelMessages), "Do not fail when the kernel reports trouble.",
	)
	f.Required("method", schema.OneOf(new(string), method), "The method.")
}

// Login is what most boot actions may say about getting to a shell.
type Login struct {
	Prompts         []string // regular expressions, as Python has them
	AutoLogin       *AutoLogin
	TransferOverlay *TransferOverlay
}

// prompts is a prompt, or a list of them; none may be empty.
func prompts(dst *[]string) schema.Type {
	var one string
	return schema.Either("a string, or a list of strings",
		schema.Then(schema.Some(&one), func() { *dst = []string{one} }), schema.ListOf(dst, schema.Some))
}

func (l *Login) login(f *schema.Fields) {
	f.Optional("prompts", prompts(&l.Prompts), promptsDoc)
	f.Optional("auto_login", autoLogin(&l.AutoLogin), "How to log in.")
}

// transfer is login, and the overlay over the network.
func (l *Login) transfer(f *schema.Fields) {
	l.login(f)
	f.Optional(
		"transfer_overlay", transferOverlay(&l.TransferOverlay),
		"Fetch the test overlay over the network, or the console, after login.",
	)
}

const promptsDoc = "Regular expressions of the shell's prompt."

// AutoLogin says how to log in.
type AutoLogin struct {
	LoginPrompt, Username    string
	PasswordPrompt, Password string
	LoginCommands            []string
	IgnoreKernelMessages     bool
}

// autoLogin is a login without, or with, a password.
func autoLogin(dst **AutoLogin) schema.Type {
	plain, secret := new(AutoLogin), new(AutoLogin)
	return schema.Either("a mapping with login_prompt and username",
		schema.Then(schema.Sub(login{plain, false}), func() { *dst = plain }),
		schema.Then(schema.Sub(login{secret, true}), func() { *dst = secret }))
}

type login struct {
	*AutoLogin
	password bool
}

func (l login) Fields(f *schema.Fields) {
	f.Required("login_prompt", schema.Some(&l.LoginPrompt), "Regular expression of the login prompt.")
	f.Required("username", schema.Text(&l.Username), "Who logs in.")
	if !l.password {
		f.Optional("login_commands", schema.ListOf(&l.LoginCommands, schema.Some), "Commands to type after login.")
		return
	}
	f.Required("password_prompt", schema.Text(&l.PasswordPrompt), "Regular expression of the password prompt.")
	f.Required("password", schema.Text(&l.Password), "The password.")
	f.Optional("login_commands", schema.Texts(&l.LoginCommands), "Commands to type after login, such as `sudo su`.")
	f.Optional(
		"ignore_kernel_messages", schema.Flag(&l.IgnoreKernelMessages), "Do not fail when the kernel reports trouble.",
	)
}

// TransferOverlay says how a booted system fetches the test overlay.
type TransferOverlay struct {
	DownloadCommand, UnpackCommand string
	TransferMethod                 string // http, nfs or zmodem; http when the file does not say
}

// transferOverlay is over the network by commands, or by zmodem over the console.
func transferOverlay(dst **TransferOverlay) schema.Type {
	t := new(TransferOverlay)
	either := schema.Either("a mapping with download_command and unpack_command", schema.Sub(t), schema.Sub(zmodem{t}))
	return schema.Then(either, func() { *dst = t })
}

// Fields declares the block.
func (t *TransferOverlay) Fields(f *schema.Fields) {
	t.TransferMethod = "http"
	f.Required("download_command", schema.Text(&t.DownloadCommand), "The command that fetches; the URL is put behind it.")
	f.Required("unpack_command", schema.Text(&t.UnpackCommand), "The command that unpacks; the file is put behind it.")
	f.Optional("transfer_method", schema.Text(&t.TransferMethod), "How: http, nfs or zmodem.")
}

type zmodem struct{ *TransferOverlay }

func (z zmodem) Fields(f *schema.Fields) {
	f.Required("transfer_method", schema.OneOf(&z.TransferMethod, "zmodem"), "Over the console.")
	f.Optional("download_command", schema.Text(&z.DownloadCommand), "The command that receives, such as rz.")
	f.Optional("unpack_command", schema.Text(&z.UnpackCommand), "The command that unpacks; the file is put behind it.")
}
