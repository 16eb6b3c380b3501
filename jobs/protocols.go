package jobs

import (
	"math"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Protocols are what the parts of a job talk by.
type Protocols struct {
	Multinode *Multinode
	XNBD      *XNBD
	VLAND     *schema.Node // lava-vland
}

// Fields declares the block.
func (p *Protocols) Fields(f *schema.Fields) {
	f.Optional(
		"lava-multinode", schema.Optionally(&p.Multinode), "Several targets, each with a role, that talk to each other.",
	)
	f.Optional("lava-vland", schema.Keeping(&p.VLAND, vlandProtocol()), "Private networks between targets.")
	f.Optional("lava-xnbd", schema.Optionally(&p.XNBD), "Root file systems by NBD.")
}

// Multinode is a job of several targets.
type Multinode struct {
	Roles   map[string]*Role
	Timeout Timeout
}

// Fields declares the block.
func (m *Multinode) Fields(f *schema.Fields) {
	f.Required("roles", schema.MapOf(&m.Roles, func(v **Role) schema.Type {
		*v = new(Role)
		return schema.Either("a mapping with device_type or connection", schema.Sub(targetRole{*v}), schema.Sub(guestRole{
			*v,
		}))
	}), "The roles, by name.")
	f.Optional("timeout", timeout(&m.Timeout), "How long one waits for the others.")
}

// Role is a part that one or more targets of a multinode job play; or, with Connection, guests on another role's.
type Role struct {
	schema.Position
	Count          int
	DeviceType     string
	Device, Worker string
	Context        Context
	Tags           []string
	Environment    map[string]*schema.Node
	Essential      bool
	Timeout        Timeout

	Connection, ExpectRole, HostRole, Request string
}

func (r *Role) fields(f *schema.Fields) {
	f.Place(&r.Position)
	f.Required("count", schema.Number(&r.Count, 0, math.Inf(1)), "How many.")
	f.Optional("context", schema.Sub(&r.Context), "Variables of the device's templates.")
	f.Optional("tags", schema.Texts(&r.Tags), "What the target must have.")
	f.Optional("essential", schema.Flag(&r.Essential), "When it fails, all fail.")
	f.Optional("timeout", timeout(&r.Timeout), "How long the role may take.")
}

type targetRole struct{ *Role }

func (r targetRole) Fields(f *schema.Fields) {
	f.Required("device_type", schema.Text(&r.DeviceType), "The kind of target.")
	r.fields(f)
	f.Optional("device", schema.Text(&r.Device), "The one target that will do.")
	f.Optional("worker", schema.Text(&r.Worker), "The one runner that will do.")
	f.Optional("environment", schema.Nodes(&r.Environment), "Environment of the tests.")
}

type guestRole struct{ *Role }

func (r guestRole) Fields(f *schema.Fields) {
	f.Required("connection", schema.Text(&r.Connection), "How it is reached: ssh.")
	r.fields(f)
	f.Required("expect_role", schema.Text(&r.ExpectRole), "The role whose message starts it.")
	f.Required("host_role", schema.Text(&r.HostRole), "The role on whose target it runs.")
	f.Optional("request", schema.Text(&r.Request), "What it asks the host role for.")
}

// XNBD is the server of root file systems by NBD.
type XNBD struct {
	Port    int // 0 when the file says auto
	Timeout Timeout
}

// Fields declares the block.
func (x *XNBD) Fields(f *schema.Fields) {
	f.Required(
		"port", schema.Either("auto, or a port", schema.OneOf(new(string), "auto"), schema.Integer(&x.Port)), "The port.",
	)
	f.Optional("timeout", timeout(&x.Timeout), "How long to wait.")
}

// vland is only checked: networks by name, or by interface and name, with the tags they need.
func vlandProtocol() schema.Type {
	network := func(*struct{}) schema.Type { return schema.Sub(vlandTags{}) }
	flat := schema.MapOf(new(map[string]struct{}), network)
	deep := schema.MapOf(new(map[string]struct{}), func(*struct{}) schema.Type {
		return schema.MapOf(new(map[string]struct{}), network)
	})
	return schema.Either("a mapping of networks", deep, flat)
}

type vlandTags struct{}

func (vlandTags) Fields(f *schema.Fields) {
	f.Required("tags", schema.Texts(new([]string)), "What the interface must have.")
}
