# shellcheck shell=sh disable=SC2034,SC3037
# gantry-lib.sh is sourced by the helpers: it prints LAVA's signals so that none is lost in silence.
#
# gantry_signal TEXT prints TEXT, LAVA's line byte for byte, and a line <GANTRY_TRAILER RUN.SEQ CRC>, both in one write,
# and keeps the record for the manifest. RUN is the number that the runner gave the run of the stage, so that what a
# process of an earlier one prints is not taken for its own; SEQ counts from 1 in it, whichever process prints; CRC is
# the IEEE CRC-32 of "RUN.SEQ TEXT". It forks nothing on the usual path: a fork costs 10 ms and more on an emulated CPU.

# The CRC's table for four bits at a time, signed, so that shells whose numbers have 32 bits (Android's mksh) and those
# with 64 agree in the low 32; and the codes of what may be part of a variable's name.
T0=0 T1=498536548 T2=997073096 T3=651767980 T4=1994146192 T5=1802195444 T6=1303535960 T7=1342533948
T8=-306674912 T9=-267414716 T10=-690576408 T11=-882789492 T12=-1687895376 T13=-2032938284
T14=-1609899400 T15=-1111625188
C_0=48 C_1=49 C_2=50 C_3=51 C_4=52 C_5=53 C_6=54 C_7=55 C_8=56 C_9=57 C__=95
C_A=65 C_B=66 C_C=67 C_D=68 C_E=69 C_F=70 C_G=71 C_H=72 C_I=73 C_J=74 C_K=75 C_L=76 C_M=77
C_N=78 C_O=79 C_P=80 C_Q=81 C_R=82 C_S=83 C_T=84 C_U=85 C_V=86 C_W=87 C_X=88 C_Y=89 C_Z=90
C_a=97 C_b=98 C_c=99 C_d=100 C_e=101 C_f=102 C_g=103 C_h=104 C_i=105 C_j=106 C_k=107 C_l=108 C_m=109
C_n=110 C_o=111 C_p=112 C_q=113 C_r=114 C_s=115 C_t=116 C_u=117 C_v=118 C_w=119 C_x=120 C_y=121 C_z=122

gantry_nl='
'

# gantry_bytes makes the shell see bytes, not characters, until gantry_chars. LC_ALL is not exported by it.
gantry_bytes() {
	gantry_locale=${LC_ALL-unset}
	LC_ALL=C
}

gantry_chars() {
	if [ "$gantry_locale" = unset ]; then unset LC_ALL; else LC_ALL=$gantry_locale; fi
}

# gantry_code CHAR sets code to the byte's value, for bytes that gantry_crc does not know by heart.
gantry_code() {
	if [ -z "${gantry_high-}" ]; then
		gantry_octal='' code=128
		while [ "$code" -lt 256 ]; do
			gantry_octal="$gantry_octal\\$((code >> 6))$((code >> 3 & 7))$((code & 7))"
			code=$((code + 1))
		done
		# shellcheck disable=SC2059 # the format is the text
		gantry_high=$(printf "$gantry_octal")
	fi
	code=${gantry_high%%"$1"*}
	code=$((128 + ${#code}))
}

# gantry_crc TEXT sets crc to eight lower-case hexadecimal digits. The caller has called gantry_bytes.
# C_$ch and T$((…)) are names made of parts, which shellcheck does not know.
# shellcheck disable=SC1102,SC2086,SC2210
gantry_crc() {
	rest=$1 c=-1
	while [ -n "$rest" ]; do
		tail=${rest#?}
		ch=${rest%"$tail"}
		rest=$tail
		case $ch in
		[ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_]) c=$((c ^ C_$ch)) ;;
		' ') c=$((c ^ 32)) ;;
		-) c=$((c ^ 45)) ;;
		.) c=$((c ^ 46)) ;;
		=) c=$((c ^ 61)) ;;
		'<') c=$((c ^ 60)) ;;
		'>') c=$((c ^ 62)) ;;
		/) c=$((c ^ 47)) ;;
		:) c=$((c ^ 58)) ;;
		,) c=$((c ^ 44)) ;;
		!) c=$((c ^ 33)) ;;
		'"') c=$((c ^ 34)) ;;
		'#') c=$((c ^ 35)) ;;
		\$) c=$((c ^ 36)) ;;
		%) c=$((c ^ 37)) ;;
		'&') c=$((c ^ 38)) ;;
		\') c=$((c ^ 39)) ;;
		'(') c=$((c ^ 40)) ;;
		')') c=$((c ^ 41)) ;;
		'*') c=$((c ^ 42)) ;;
		+) c=$((c ^ 43)) ;;
		';') c=$((c ^ 59)) ;;
		'?') c=$((c ^ 63)) ;;
		@) c=$((c ^ 64)) ;;
		'[') c=$((c ^ 91)) ;;
		\\) c=$((c ^ 92)) ;;
		']') c=$((c ^ 93)) ;;
		'^') c=$((c ^ 94)) ;;
		\`) c=$((c ^ 96)) ;;
		'{') c=$((c ^ 123)) ;;
		'|') c=$((c ^ 124)) ;;
		'}') c=$((c ^ 125)) ;;
		'~') c=$((c ^ 126)) ;;
		*)
			gantry_code "$ch"
			c=$((c ^ code))
			;;
		esac
		c=$((c >> 4 & 268435455 ^ T$((c & 15))))
		c=$((c >> 4 & 268435455 ^ T$((c & 15))))
	done
	c=$((c ^ -1)) crc=
	for shift in 28 24 20 16 12 8 4 0; do
		ch=$((c >> shift & 15))
		case $ch in
		10) ch=a ;;
		11) ch=b ;;
		12) ch=c ;;
		13) ch=d ;;
		14) ch=e ;;
		15) ch=f ;;
		esac
		crc=$crc$ch
	done
}

# gantry_clean TEXT sets signal to TEXT with each control character made a space: a signal is one line of text.
gantry_clean() {
	signal=$1
	case $signal in
	*[[:cntrl:]]*) ;;
	*) return 0 ;;
	esac
	rest=$signal signal=
	while [ -n "$rest" ]; do
		tail=${rest#?}
		ch=${rest%"$tail"}
		rest=$tail
		case $ch in
		[[:cntrl:]]) ch=' ' ;;
		esac
		signal=$signal$ch
	done
}

# gantry_state sets state to the folder of the running stage's records, and is false when there is none.
gantry_state() {
	state=${GANTRY_STATE-}
	if [ -z "$state" ] && [ -r '@PREFIX@/gantry/stage' ]; then
		read -r state <'@PREFIX@/gantry/stage'
	fi
	[ -n "$state" ] && [ -d "$state/seq" ]
}

# gantry_run sets run to the number of the running stage's run.
gantry_run() {
	run=0
	[ -s "$state/run" ] && read -r run <"$state/run"
	return 0
}

# gantry_number takes the next free number of the stage into seq. The file it makes, only if there is none, is the
# claim: parallel processes never get the same number. False when the file system takes no more files.
gantry_number() {
	seq=0
	[ -s "$state/next" ] && read -r seq <"$state/next"
	case $seq in
	'' | *[!0123456789]*) seq=0 ;;
	esac
	set -C
	while seq=$((seq + 1)); do
		if { true >"$state/seq/$seq"; } 2>/dev/null; then
			set +C
			{ echo "$seq" >"$state/next"; } 2>/dev/null
			return 0
		fi
		[ -e "$state/seq/$seq" ] || break
	done
	set +C
	return 1
}

# gantry_print TEXT prints it and a newline in one write, where LAVA's signals go. echo is the builtin that bash and
# busybox write at once to a terminal; dash's takes backslashes for escapes, and its printf writes at once.
gantry_print() {
	if [ "${GANTRY_SIGNAL-}" = kmsg ] && { echo "<0>$1" >/dev/kmsg; } 2>/dev/null; then
		return 0
	fi
	case $1 in
	*\\*) printf '%s\n' "$1" ;;
	*) echo -n "$1$gantry_nl" ;;
	esac
}

# gantry_device sets device to the node that gets a copy of each record and token to what the runner knows the stage's
# by, and is false when there is none. Without udev, the node is found by the port's name. It is looked for anew each
# time: a test may load and unload drivers. Not in mksh, whose children keep the descriptors that a redirection saved: a
# writer that waits would hold up who reads the test's output.
gantry_device() {
	[ -z "${KSH_VERSION-}" ] && [ -s "$state/token" ] && [ -r '@PREFIX@/gantry/results-dev' ] || return 1
	read -r token <"$state/token"
	read -r device <'@PREFIX@/gantry/results-dev'
	gantry_node && return 0
	for gantry_port in /sys/class/virtio-ports/*/name; do
		[ -r "$gantry_port" ] || continue
		read -r gantry_name <"$gantry_port"
		[ "$gantry_name" = "${device##*/}" ] || continue
		gantry_port=${gantry_port%/name}
		device=/dev/${gantry_port##*/}
		gantry_node && return 0
	done
	return 1
}

# gantry_node says whether there is a device to write to. A mere file would be made by writing.
gantry_node() { [ -c "$device" ] || [ -p "$device" ]; }

# gantry_copy COMMAND… sends what a command prints to the device, in a process of its own: a port whose host does not
# read blocks its writer for ever, and must not block the test. A port has one writer at a time; another waits for its
# turn a little, and leaves what it cannot send to the console. The lines have a newline before them too, in case a
# test's own bytes are before them.
gantry_copy() {
	(
		gantry_tries=0
		while gantry_node && [ "$gantry_tries" -lt 100 ]; do
			"$@" >"$device" && exit
			gantry_tries=$((gantry_tries + 1))
		done
	) </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- &
}

# gantry_keep RECORD appends it to the file that the runner follows, where the overlay has one. That is a write to a
# file, which waits for nobody.
gantry_keep() {
	[ -w '@PREFIX@/gantry/results' ] && [ -s "$state/token" ] || return 0
	read -r token <"$state/token"
	{ gantry_line "$1" >>'@PREFIX@/gantry/results'; } 2>/dev/null
	return 0
}

gantry_line() { printf '\n@%s %s\n' "$token" "$1"; }

gantry_signal() {
	gantry_bytes
	gantry_clean "$1"
	if gantry_state && gantry_number; then
		gantry_run
		seq=$run.$seq
		gantry_crc "$seq $signal"
		gantry_chars
		gantry_record="<@RECORD@ $seq $crc ${signal#<}"
		{ printf '%s\n' "$gantry_record" >>"$state/records"; } 2>/dev/null
		gantry_keep "$gantry_record"
		if gantry_device; then
			gantry_copy gantry_line "$gantry_record"
		fi
		gantry_print "$signal$gantry_nl<@TRAILER@ $seq $crc>"
	else
		gantry_chars
		gantry_print "$signal"
	fi
	return 0
}
