package jobs

import "github.com/gantry-ci/gantry/internal/schema"

// deviceMedia are only checked.
type deviceMedia struct{}

func (deviceMedia) Fields(f *schema.Fields) {
	f.Spelled()
	f.Optional("sata", schema.Sub(media{sata: true}), "SATA disks, by name.")
	f.Optional("sd", schema.Sub(media{}), "SD cards, by name.")
	f.Optional("usb", schema.Sub(media{}), "USB disks, by name.")
}

type media struct{ sata bool }

func (m media) Fields(f *schema.Fields) {
	const doc = "Jobs must name the medium by its UUID."
	if m.sata {
		f.Required("UUID-required", schema.Flag(new(bool)), doc)
	} else {
		f.Optional("UUID-required", schema.Flag(new(bool)), doc)
	}
	f.Rest(schema.Text(new(string)), schema.Sub(medium(m)))
	f.Check(func(n *schema.Node) *schema.Fault {
		for _, e := range n.Entries {
			if e.Value.Kind == schema.Map {
				return nil
			}
		}
		return &schema.Fault{Message: "there is no medium in it", Expected: "at least one medium by name"}
	})
}

type medium struct{ sata bool }

func (m medium) Fields(f *schema.Fields) {
	f.Spelled()
	f.Required("uuid", schema.Text(new(string)), "Its name under /dev/disk/by-id.")
	number := schema.Integer(new(int))
	if !m.sata {
		number = schema.Either("an integer or a string", number, schema.Text(new(string)))
	}
	f.Required("device_id", number, "Its number in the boot loader.")
	if m.sata {
		f.Required("uboot_interface", schema.Text(new(string)), "U-Boot's name of the bus.")
		f.Required("grub_interface", schema.Text(new(string)), "GRUB's name of the disk.")
		f.Required("boot_part", schema.Integer(new(int)), "The partition to boot from.")
	}
}
