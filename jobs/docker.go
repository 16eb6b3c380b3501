package jobs

import (
	"regexp"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Docker is a container to run host tools in.
type Docker struct {
	Places        schema.Places
	Image         string
	Local         bool // do not pull
	ContainerName string
	NetworkFrom   string // a namespace
	Login         *DockerLogin
	Binary        string // of an emulator
}

// DockerLogin is where and as whom to pull.
type DockerLogin struct{ Registry, User, Password string }

// Fields declares the block.
func (l *DockerLogin) Fields(f *schema.Fields) {
	f.Required("registry", schema.Text(&l.Registry), "The registry.")
	f.Required("user", schema.Text(&l.User), "Who pulls.")
	f.Required("password", schema.Text(&l.Password), "The password.")
}

var dockerImageRE = regexp.MustCompile(`^[a-z0-9]+[a-z0-9._/:-]*[a-z0-9]+(:[a-zA-Z0-9_]+[a-zA-Z0-9._-]*)?$`)

// fields declares the block; key is the name of the key that holds the image.
func (d *Docker) fields(f *schema.Fields, key string) {
	f.Places(&d.Places)
	f.Required(key, dockerImage(&d.Image), "The container's image.")
	f.Optional("local", schema.Flag(&d.Local), "Use the lab's copy, do not pull.")
	f.Optional("container_name", schema.Text(&d.ContainerName), "What the container is called.")
	f.Optional("network_from", schema.Text(&d.NetworkFrom), "The namespace whose container's network it shares.")
	f.Optional("login", schema.Optionally(&d.Login), "Where and as whom to pull.")
}

func dockerImage(dst *string) schema.Type {
	return schema.Matching(dst, dockerImageRE, "a container image's name")
}

// namedDocker has its image's name under name.
type namedDocker struct{ *Docker }

func (d namedDocker) Fields(f *schema.Fields) { d.fields(f, "name") }

// Fields declares the block.
func (d *Docker) Fields(f *schema.Fields) { d.fields(f, "image") }

// qemuDocker is a container with an emulator in it.
type qemuDocker struct{ *Docker }

func (d qemuDocker) Fields(f *schema.Fields) {
	d.Docker.Fields(f)
	f.Optional("binary", schema.Text(&d.Binary), "The emulator in the container.")
}
