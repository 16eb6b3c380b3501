package main

// jobYAML is read by both dispatchers as it is.
const jobYAML = `job_name: side by side
device_type: qemu
visibility: public
context: {arch: amd64}
timeouts:
  job: {minutes: 5}
  action: {minutes: 2}
actions:
- deploy:
    to: tmpfs
    images:
      kernel:
        url: file://@KERNEL@
        image_arg: -kernel {kernel} -append "@CMDLINE@"
      ramdisk:
        url: file://@RAMDISK@
        format: cpio.newc
        compression: gz
        overlays: {lava: true}
        image_arg: -initrd {ramdisk}
- boot:
    method: qemu
    media: tmpfs
    prompts: ['gantry:.*# ']
- test:
    definitions:
    - from: inline
      name: smoke
      path: inline/smoke.yaml
      repository:
        metadata: {format: Lava-Test Test Definition 1.0, name: smoke}
        run:
          steps:
          - lava-test-case uname --shell uname -a
          - lava-test-case proc --shell test -d /proc/self
          - lava-test-case a --result pass
          - lava-test-case b --result pass --measurement 42 --units marks
          - lava-test-case c --result skip
`

// deviceYAML is a rendered LAVA device file.
const deviceYAML = `hostname: qemu01
devicetype: qemu
character_delays: {}
constants:
  posix: {lava_test_sh_cmd: /bin/sh, lava_test_results_dir: '/lava-%s', lava_test_shell_file: ~/.bashrc}
  kernel-start-message: 'Linux version [0-9]'
  default-shell-prompt: 'lava-test: # '
  spawn_maxread: '4092'
  failure_retry: 1
  boot_retry: 1
  shutdown-message: 'The system is going down for reboot NOW'
parameters: {}
available_architectures: [amd64, x86_64]
actions:
  deploy:
    connections: {serial: }
    methods:
      image: {parameters: {guest: {size: 512, interface: virtio, driveid: lavatest}}}
  boot:
    connections: {serial: }
    methods:
      qemu:
        parameters:
          command: qemu-system-x86_64
          boot_options: {root: /dev/sda1, console: 'ttyS0,115200', boot_order: c}
          options:
          - -nographic
          - -m 512
          - -net nic,model=virtio,macaddr=52:54:00:12:34:59 -net user
          - -monitor none
timeouts:
  actions: {lava-overlay: {minutes: 2}}
  connections: {lava-test-shell: {seconds: 10}}
`
