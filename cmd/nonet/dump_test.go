package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nonet-h2/nonet/frame"
)

var update = flag.Bool("update", false, "write the golden files of nonet dump anew")

// dumped runs "nonet dump" and returns what it printed.
func dumped(args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(context.Background(), append([]string{"dump"}, args...), &out, &errs)
	return status, out.String(), errs.String()
}

// TestDumpGolden dumps what programs sent each other (nghttp and curl to nonet
// serve, curl to nghttpd), and what is wrong in one way or another. A golden
// file has the output, and the line on stderr and the status when there is one.
func TestDumpGolden(t *testing.T) {
	for _, tt := range []struct{ name, args string }{
		{"nghttp.frames", "-frames nghttp.client.bin"},
		{"nghttp.server.frames", "-frames nghttp.server.bin"},
		{"nghttp.frames.v", "-frames -v nghttp.client.bin"},
		{"nghttp.frames.json", "-frames -json nghttp.client.bin"},
		{"nghttp.conn", "-conn nghttp.client.bin nghttp.server.bin"},
		{"nghttp.conn.json", "-conn -json nghttp.client.bin nghttp.server.bin"},
		{"curl-trailers.conn", "-conn curl-trailers.server.bin"},
		{"curl-post.conn", "-conn curl-post.client.bin"},
		{"nghttpd.conn", "-conn nghttpd.client.bin nghttpd.server.bin"},
		{"nghttpd.frames.json", "-frames -json nghttpd.server.bin"},
		{"rfc7541-c4", "-hpack rfc7541-c4.hex"},
		{"rfc7541-c6.json", "-hpack -table 256 -json rfc7541-c6.hex"},
		{"padding.frames", "-frames padding.bin"},
		{"padding.conn", "-conn padding.bin"},
		{"idle.conn", "-conn idle.bin"},
		{"idle.conn.json", "-conn -json idle.bin"},
		{"hpack-error.conn", "-conn hpack-error.bin"},
		{"hpack-error.frames.json", "-frames -json hpack-error.bin"},
		{"malformed.conn", "-conn malformed.bin"},
		{"truncated.frames", "-frames truncated.bin"},
		{"truncated.conn.json", "-conn -json truncated.bin"},
		{"all.frames", "-frames all.bin"},
		{"all.frames.json", "-frames -json all.bin"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if *update {
				os.WriteFile(filepath.Join("testdata", "all.bin"), allFrames(), 0o666)
			}
			args := strings.Fields(tt.args)
			for i, a := range args {
				if strings.HasSuffix(a, ".bin") || strings.HasSuffix(a, ".hex") {
					args[i] = "testdata/" + a
				}
			}
			status, got, stderr := dumped(args...)
			if stderr != "" || status != 0 {
				got += fmt.Sprintf("status %d, stderr: %s", status, stderr)
			}
			golden := filepath.Join("testdata", tt.name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if strings.Contains(tt.args, "-json") {
				wantObjects(t, got)
			}
		})
	}
}

// wantObjects wants every line to be an object with a known "what".
func wantObjects(t *testing.T, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		if strings.HasPrefix(line, "status ") {
			continue
		}
		var v struct{ What string }
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		switch v.What {
		case "block", "frame", "event", "answer", "error":
		default:
			t.Errorf("%s: what %q", line, v.What)
		}
	}
}

// allFrames has a frame of every type with every field it may have.
func allFrames() []byte {
	get := []byte("\x82\x84\x86\x41\x01a")
	b := frame.AppendSettings([]byte(frame.Preface), frame.Setting{ID: frame.SettingMaxFrameSize, Value: 32768}, frame.Setting{ID: 0x0a0a, Value: 1})
	b = frame.AppendSettingsAck(b)
	b = frame.AppendHeadersFrame(b, 1, frame.Headers{Block: get[:2], HasPriority: true, Priority: frame.Priority{Dependency: 3, Exclusive: true, Weight: 9}}, 3, 0)
	b = frame.AppendContinuation(b, 1, nil, false)
	b = frame.AppendContinuation(b, 1, get[2:], true)
	b = frame.AppendDataPadded(b, 1, []byte("caf\xc3\xa9 \\ "+strings.Repeat("long ", 20)), 2, false)
	b = frame.AppendPriority(b, 5, frame.Priority{Dependency: 1, Weight: 255})
	b = frame.AppendPushPromise(b, 1, frame.PushPromise{PromisedID: 2, Block: get}, -1, true)
	b = frame.AppendPing(b, false, [8]byte([]byte("deadbeef")))
	b = frame.AppendWindowUpdate(b, 1, 1000)
	b = frame.AppendPriorityUpdate(b, 1, "u=1, i")
	b = frame.AppendFrame(b, 0xfa, 0x81, 7, []byte("grease"))
	b = frame.AppendRSTStream(b, 1, 0x457)
	b = frame.AppendHeaders(b, 3, []byte("\x88\x10\x01x\x01\xff"), true, 0)
	return frame.AppendGoAway(b, 1, frame.EnhanceYourCalm, "too \"much\"\n")
}

// rfc7541 is what Appendix C shows after "Dynamic Table (after decoding)" and
// "Decoded header list", and the forms that its decoding process names; long
// lines are not broken here.
var rfc7541 = []struct {
	section, args string
	table, list   string
	forms         string
}{
	{"C.2.1", "-hpack rfc7541-c2.hex 0", `
   [  1] (s =  55) custom-key: custom-header
         Table size:  55`, `custom-key: custom-header`, "incremental"},
	{"C.2.2", "-hpack rfc7541-c2.hex 1", ``, `:path: /sample/path`, "without"},
	{"C.2.3", "-hpack rfc7541-c2.hex 2", ``, `password: secret`, "never"},
	{"C.2.4", "-hpack rfc7541-c2.hex 3", ``, `:method: GET`, "indexed"},
	{"C.3.1", "-hpack rfc7541-c3.hex 0", `
   [  1] (s =  57) :authority: www.example.com
         Table size:  57`, `:method: GET
:scheme: http
:path: /
:authority: www.example.com`, "indexed indexed indexed incremental"},
	{"C.3.2", "-hpack rfc7541-c3.hex 1", `
   [  1] (s =  53) cache-control: no-cache
   [  2] (s =  57) :authority: www.example.com
         Table size: 110`, `:method: GET
:scheme: http
:path: /
:authority: www.example.com
cache-control: no-cache`, "indexed indexed indexed indexed incremental"},
	{"C.3.3", "-hpack rfc7541-c3.hex 2", `
   [  1] (s =  54) custom-key: custom-value
   [  2] (s =  53) cache-control: no-cache
   [  3] (s =  57) :authority: www.example.com
         Table size: 164`, `:method: GET
:scheme: https
:path: /index.html
:authority: www.example.com
custom-key: custom-value`, "indexed indexed indexed indexed incremental"},
	{"C.4.3", "-hpack rfc7541-c4.hex 2", `
   [  1] (s =  54) custom-key: custom-value
   [  2] (s =  53) cache-control: no-cache
   [  3] (s =  57) :authority: www.example.com
         Table size: 164`, `:method: GET
:scheme: https
:path: /index.html
:authority: www.example.com
custom-key: custom-value`, "indexed indexed indexed indexed incremental/both"},
	{"C.5.1", "-hpack -table 256 rfc7541-c5.hex 0", `
   [  1] (s =  63) location: https://www.example.com
   [  2] (s =  65) date: Mon, 21 Oct 2013 20:13:21 GMT
   [  3] (s =  52) cache-control: private
   [  4] (s =  42) :status: 302
         Table size: 222`, `:status: 302
cache-control: private
date: Mon, 21 Oct 2013 20:13:21 GMT
location: https://www.example.com`, "incremental incremental incremental incremental"},
	{"C.5.2", "-hpack -table 256 rfc7541-c5.hex 1", `
   [  1] (s =  42) :status: 307
   [  2] (s =  63) location: https://www.example.com
   [  3] (s =  65) date: Mon, 21 Oct 2013 20:13:21 GMT
   [  4] (s =  52) cache-control: private
         Table size: 222`, `:status: 307
cache-control: private
date: Mon, 21 Oct 2013 20:13:21 GMT
location: https://www.example.com`, "incremental indexed indexed indexed"},
	{"C.6.3", "-hpack -table 256 rfc7541-c6.hex 2", `
   [  1] (s =  98) set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1
   [  2] (s =  52) content-encoding: gzip
   [  3] (s =  65) date: Mon, 21 Oct 2013 20:13:22 GMT
         Table size: 215`, `:status: 200
cache-control: private
date: Mon, 21 Oct 2013 20:13:22 GMT
location: https://www.example.com
content-encoding: gzip
set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1`,
		"indexed indexed incremental/value indexed incremental/value incremental/value"},
}

// TestRFC7541_C_Dump: the examples print as the RFC shows them.
func TestRFC7541_C_Dump(t *testing.T) {
	for _, tt := range rfc7541 {
		t.Run(tt.section, func(t *testing.T) {
			args := strings.Fields(tt.args)
			var n int
			fmt.Sscan(args[len(args)-1], &n)
			args = args[:len(args)-1]
			args[len(args)-1] = "testdata/" + args[len(args)-1]
			status, out, stderr := dumped(args...)
			if status != 0 || stderr != "" {
				t.Fatalf("status %d, %s", status, stderr)
			}
			var block, table, list, forms []string
			for line := range strings.Lines(out) {
				if line = strings.TrimRight(line, "\n"); strings.HasPrefix(line, fmt.Sprintf("block %d,", n+1)) {
					block = append(block, line)
				} else if strings.HasPrefix(line, "block ") && len(block) > 0 {
					break
				} else if len(block) == 0 {
					continue
				} else if s, _, ok := strings.Cut(line, " of "); strings.HasPrefix(line, "   [") || ok && strings.Contains(s, "Table size:") {
					table = append(table, s)
				} else {
					list = append(list, line[39:])
					form := strings.TrimSpace(line[13:25])
					if h := strings.TrimSpace(line[32:39]); h != "" && h != "-" {
						form += "/" + h
					}
					forms = append(forms, form)
				}
			}
			// "Table size" stands in the RFC where the table is not empty.
			if tt.section >= "C.3" || tt.table != "" {
				if diff := cmp.Diff(strings.TrimPrefix(tt.table, "\n"), strings.Join(table, "\n")); diff != "" {
					t.Errorf("table (-want +got):\n%s", diff)
				}
			}
			for i := range list {
				list[i] = strings.TrimSpace(list[i])
			}
			if diff := cmp.Diff(tt.list, strings.Join(list, "\n")); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.forms, strings.Join(forms, " ")); diff != "" {
				t.Errorf("forms (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDumpHex: the same octets print the same, however they are written.
func TestDumpHex(t *testing.T) {
	octets, err := os.ReadFile("testdata/nghttp.client.bin")
	if err != nil {
		t.Fatal(err)
	}
	_, want, _ := dumped("-frames", "testdata/nghttp.client.bin")
	plain := hex.EncodeToString(octets)
	var xxd, minusC, tcpdump, c strings.Builder
	for at := 0; at < len(octets); at += 16 {
		row := octets[at:min(at+16, len(octets))]
		var pairs, groups []string
		for i := 0; i < len(row); i += 2 {
			groups = append(groups, hex.EncodeToString(row[i:min(i+2, len(row))]))
		}
		for _, o := range row {
			pairs = append(pairs, fmt.Sprintf("%02x", o))
			fmt.Fprintf(&c, "0x%x, ", o)
		}
		chars := strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return '.'
			}
			return r
		}, string(bytes.Map(func(r rune) rune { return r & 0x7f }, row)))
		fmt.Fprintf(&xxd, "%08x: %-39s  %s\n", at, strings.Join(groups, " "), chars)
		fmt.Fprintf(&tcpdump, "\t0x%04x:  %s\n", at, strings.Join(groups, " "))
		if len(pairs) > 8 {
			pairs[8] = " " + pairs[8]
		}
		fmt.Fprintf(&minusC, "%08x  %-48s  |%s|\n", at, strings.Join(pairs, " "), chars)
		fmt.Fprintf(&c, "\n")
	}
	fmt.Fprintf(&minusC, "%08x\n", len(octets))
	for name, text := range map[string]string{
		"one line":             plain,
		"upper case":           strings.ToUpper(plain) + "\n",
		"xxd":                  xxd.String(),
		"xxd, CRLF":            strings.ReplaceAll(xxd.String(), "\n", "\r\n"),
		"hexdump -C":           minusC.String(),
		"tcpdump -x":           tcpdump.String(),
		"C":                    c.String(),
		"comments":             "# what nghttp sent\n> client\n// preface\n" + plain[:48] + " # PRI\n\n" + plain[48:] + " | rest\n",
		"string":               `"\x` + strings.Join(pairsOf(plain), `\x`) + `"`,
		"colons":               strings.Join(pairsOf(plain), ":"),
		"a line past a buffer": strings.Repeat(" ", 3*inputBuffer) + plain + strings.Repeat(" ", 3*inputBuffer),
		"a comment past it":    "# " + strings.Repeat("nothing ", inputBuffer) + "\n" + plain,
	} {
		t.Run(name, func(t *testing.T) {
			status, got, stderr := dumped("-frames", file(t, "hex", []byte(text)))
			if status != 0 || stderr != "" {
				t.Fatalf("status %d, %s", status, stderr)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func pairsOf(digits string) (list []string) {
	for ; len(digits) > 0; digits = digits[2:] {
		list = append(list, digits[:2])
	}
	return list
}

// TestDumpBlocksOfListings: lines are blocks, but the lines of a listing are one.
func TestDumpBlocksOfListings(t *testing.T) {
	for _, tt := range []struct {
		text   string
		blocks string // their octets
	}{
		{"82\n\n8684\n", "1 2"},
		{"82 86\n# comment\n84", "2 1"},
		{"00000000: 8286  ..\n00000002: 84  .\n", "3"},
		{"00000000: 8286  ..\n00000002: 84  .\n00000000: 82  .\n", "3 1"},
		{"00000000  82 86  |..|\n00000002  84  |.|\n00000003\n", "3"},
		{"\x82\x86\x84", "3"},
	} {
		_, out, stderr := dumped("-hpack", "-json", file(t, "blocks", []byte(tt.text)))
		var got []string
		for line := range strings.Lines(out) {
			var r blockRecord
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(r.Octets))
		}
		if s := strings.Join(got, " "); s != tt.blocks || stderr != "" {
			t.Errorf("%q: blocks of %s octets, want %s; %s", tt.text, s, tt.blocks, stderr)
		}
	}
}

// TestDumpFaults: what is wrong is one line that says where and which rule.
func TestDumpFaults(t *testing.T) {
	start := string(frame.AppendSettings([]byte(frame.Preface)))
	get := "\x82\x84\x86\x41\x01a"
	headers := func(id uint32, block string) string {
		return string(frame.AppendHeaders(nil, id, []byte(block), true, 0))
	}
	of := func(t frame.Type, f frame.Flags, id uint32, payload string) string {
		return string(frame.AppendFrame(nil, t, f, id, []byte(payload)))
	}
	for _, tt := range []struct {
		name, mode, input string
		want              string // after the file's name
		out               string // part of the output
	}{
		{"TLS", "-frames", "\x16\x03\x01\x02\x00\x01", "offset 0: this is TLS", ""},
		{"HTTP/1", "-conn", "GET / HTTP/1.1\r\n\r\n", "offset 0: this is HTTP/1", ""},
		{"half a preface", "-frames", frame.Preface[:20], "offset 0: no HTTP/2 connection preface", ""},
		{"half a header", "-frames", start + "\x00\x00", "offset 33: the input ends within a frame header, after 2 octets", "SETTINGS"},
		{"half a payload", "-conn", start + headers(1, get)[:12], "offset 33: the input ends within a HEADERS frame of 6 octets, after 3", "HEADERS"},
		{"half a block", "-frames", start + of(frame.TypeHeaders, 0, 1, get), "offset 48: the input ends within a header block", "HEADERS"},
		{"frame in a block", "-frames", start + of(frame.TypeHeaders, 0, 1, get) + of(frame.TypePing, 0, 0, "12345678"), "offset 48: frame within a header block", "PING"},
		{"CONTINUATION alone", "-frames", start + of(frame.TypeContinuation, 4, 1, get), "offset 33: CONTINUATION without HEADERS", "CONTINUATION"},
		{"index", "-frames", start + headers(1, get+"\xff\x00"), "offset 48: COMPRESSION_ERROR: index out of range", ":authority: a"},
		{"index behind padding", "-frames", start + of(frame.TypeHeaders, frame.FlagPadded|frame.FlagEndHeaders, 1, "\x01\x82\xc0\x00"), "offset 44: COMPRESSION_ERROR: index out of range", ":method: GET"},
		{"index in a CONTINUATION", "-conn", start + of(frame.TypeHeaders, 0, 1, get) + of(frame.TypeContinuation, 4, 1, "\xc0"), "offset 57: COMPRESSION_ERROR: index out of range", "code=COMPRESSION_ERROR"},
		{"name", "-frames", start + headers(1, get+"\x00\x01X\x01a"), "offset 33: malformed message: invalid field name", "X: a"},
		{"no path", "-conn", start + headers(1, "\x82\x86\x41\x01a"), "offset 33: stream 1 is answered with PROTOCOL_ERROR", "< RST_STREAM"},
		{"WINDOW_UPDATE by 0", "-frames", start + headers(1, get) + string(frame.AppendWindowUpdate(nil, 1, 0)) + headers(3, get), "offset 48: PROTOCOL_ERROR: window increment of zero", "stream=3"},
		{"PING of 7", "-frames", start + of(frame.TypePing, 0, 0, "1234567"), "offset 33: FRAME_SIZE_ERROR: wrong frame length", "PING"},
		{"even stream", "-conn", start + headers(2, get), "offset 33: PROTOCOL_ERROR: ", "= error scope=connection code=PROTOCOL_ERROR"},
		{"push", "-conn", string(frame.AppendSettings(nil)) + of(frame.TypePushPromise, 4, 1, "\x00\x00\x00\x02"+get), "offset 9: PROTOCOL_ERROR: server push is off", "< GOAWAY"},
		{"block too long", "-frames", start + of(frame.TypeHeaders, 4, 1, strings.Repeat("\x82", maxBlock+1)), "offset 33: a field block of more than 1048576 octets", ""},
		{"list too long", "-hpack", "\x40\x01a\x7f\xff\x1e" + strings.Repeat("b", 0x7f+0x1e*128-1) + strings.Repeat("\xbe", 2000), "block 1: ", ""},
		{"odd digits", "-hpack", "82\n8\n", "line 2: odd number of hex digits", "block 1"},
		{"not hex", "-hpack", "82 84 zz", "line 1: 'z' is not a hex digit", ""},
		{"lines left out", "-hpack", "82\n*\n", "line 2: * stands for lines that were left out", "block 1"},
		{"truncated block", "-hpack", "82\n8240", "line 2: block 2, offset 1: block ends inside an instruction", "block 2, 2 octets"},
		{"truncated binary block", "-hpack", "\x82\x40", "offset 1: block 1: block ends inside an instruction", ":method: GET"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := file(t, "input", []byte(tt.input))
			status, out, stderr := dumped(tt.mode, name)
			line, ok := strings.CutSuffix(stderr, "\n")
			if want := tt.want; !strings.Contains(stderr, want) || !strings.HasPrefix(stderr, "nonet: dump: "+name+": ") || status != 1 {
				t.Errorf("status %d, stderr %q, want 1, %q", status, stderr, want)
			}
			if !ok || strings.Contains(line, "\n") || !strings.Contains(out, tt.out) {
				t.Errorf("stderr %q, stdout %q", stderr, out)
			}
			_, out, stderr2 := dumped(tt.mode, "-json", name)
			wantObjects(t, out)
			if last := out[strings.LastIndex(strings.TrimSuffix(out, "\n"), "\n")+1:]; !strings.HasPrefix(last, `{"what":"error",`) || stderr2 != stderr {
				t.Errorf("the last object is %s; stderr %q", last, stderr2)
			}
		})
	}
}

// TestDumpTwoFiles: the client's octets come first.
func TestDumpTwoFiles(t *testing.T) {
	client, server := "testdata/nghttp.client.bin", "testdata/nghttp.server.bin"
	for _, tt := range []struct{ first, second, want string }{
		{server, client, server + ": offset 0: the first of two files has the client's octets"},
		{client, client, client + ": offset 0: the second of two files has the server's octets"},
	} {
		status, _, stderr := dumped("-conn", tt.first, tt.second)
		if status != 1 || !strings.Contains(stderr, tt.want) {
			t.Errorf("status %d, stderr %q, want %q", status, stderr, tt.want)
		}
	}
}

// TestDumpHelpNamesFields: -h names every member of every object.
func TestDumpHelpNamesFields(t *testing.T) {
	_, help, _ := dumped("-h")
	var check func(typ reflect.Type)
	check = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		for f := range typ.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" || name == "-" {
				continue
			}
			if !regexp.MustCompile(`\b` + name + `\b`).MatchString(help) {
				t.Errorf("%v has %q, which -h does not name", typ, name)
			}
			check(f.Type)
		}
	}
	for _, r := range []any{blockRecord{}, frameRecord{}, eventRecord{}, errorRecord{}} {
		check(reflect.TypeOf(r))
	}
}

// TestDumpLong: a connection of many requests, answered a hundred at a time and
// the last one first, is read with bounded memory and without a fault of our own
// making.
func TestDumpLong(t *testing.T) {
	const requests, group = 4000, 100
	client := frame.AppendSettings([]byte(frame.Preface))
	server := frame.AppendSettings(nil, frame.Setting{ID: frame.SettingMaxConcurrentStreams, Value: group})
	for i := range uint32(requests) {
		client = frame.AppendHeaders(client, 2*i+1, []byte("\x82\x84\x86\x41\x01a"), true, 0)
		client = frame.AppendPing(client, false, [8]byte{})
		if i%1000 == 0 {
			client = frame.AppendSettingsAck(client) // for SETTINGS that the real server sent again
		}
		id := 2*(i/group*group+group-1-i%group) + 1
		server = frame.AppendHeaders(server, id, []byte("\x88"), false, 0)
		server = frame.AppendData(server, id, []byte("hello"), true)
		switch i {
		case requests - 10:
			server = frame.AppendGoAway(server, frame.MaxStreamID, frame.NoError, "")
		case requests - 1:
			server = frame.AppendGoAway(server, 2*requests-1, frame.NoError, "")
		}
	}
	status, out, stderr := dumped("-conn", file(t, "client", client), file(t, "server", server))
	if status != 0 || stderr != "" {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
	for want, n := range map[string]int{"= request": requests, "= response": requests, "= data": requests, "flags=ACK data=": requests, "= goaway": 2, "= drained": 1} {
		if got := strings.Count(out, want); got != n {
			t.Errorf("%q %d times, want %d", want, got, n)
		}
	}
}

// TestDumpStdin reads standard input as it comes, also when it is named.
func TestDumpStdin(t *testing.T) {
	for _, args := range [][]string{{"dump", "-hpack"}, {"dump", "-hpack", "-"}} {
		p := startWith(t, strings.NewReader("8286 84\n"), args...)
		if out := p.wantExit(); !strings.Contains(out, "block 1, 3 octets\n") || !strings.Contains(out, ":path: /\n") {
			t.Errorf("%q: stdout %q", args, out)
		}
	}
}

// FuzzDump: no input makes a dump panic, and its status says whether it has a
// line on stderr.
func FuzzDump(f *testing.F) {
	for _, pattern := range []string{"testdata/*.bin", "testdata/*.hex"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			f.Fatal(pattern, err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		name := filepath.Join(dir, fmt.Sprint(os.Getpid()))
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range []string{"-hpack", "-hpack -table 0 -json", "-frames", "-frames -v -json", "-conn", "-conn -json"} {
			status, _, stderr := dumped(append(strings.Fields(args), name)...)
			if status != 0 != (stderr != "") || strings.Count(stderr, "\n") > 1 {
				t.Fatalf("%s: status %d, stderr %q", args, status, stderr)
			}
		}
	})
}
