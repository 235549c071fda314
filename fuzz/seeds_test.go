package fuzz

import (
	"testing"

	"github.com/nonet-h2/nonet/frame"
	"github.com/nonet-h2/nonet/hpack"
)

// seeds returns scripts to start from: recorded conversations under a few
// programs, and built ones that reach what those don't.
func seeds(t testing.TB) (list []script) {
	t.Helper()
	programs := [][]byte{
		nil,
		{opAnswer, opRelease},
		{opInform, opHeaders, opQueueMore | 8<<4, opQueueEnd, opConsume, opRelease},
		{opHeaders, opEcho, opEcho, opWaitEnd, opTrailers | 1<<4, opRelease},
		{opHeaders, opWaitEnd, opQueueEnd | 3<<4, opWait, opRelease}, // reads nothing
		{opReset | 2<<4, opRelease},
		{opHeaders | 15<<4, opQueue, opReset, opHalf, opWait, opRelease, opPrioritize, opConnection | 14<<4},
	}
	for i, octets := range recorded(t) {
		list = append(list, script{octets, []byte{byte(i%5 + 1), 9, 40}, append([]byte{byte(i), 0, 0x24, 4}, make([]byte, i%len(limits))...), programs[i%len(programs)]})
	}
	// The last GOAWAY leaves while a request is half here: its frame header came
	// before, its fields after.
	preface := len(frame.Preface)
	late := frame.AppendSettingsAck(frame.AppendSettings([]byte(frame.Preface)))
	late = append(late, built()[0][frame.HeaderLen:]...)
	list = append(list, script{late, []byte{byte(preface), frame.HeaderLen, frame.HeaderLen, frame.HeaderLen, 255}, []byte{0, 0, 7 << 2, 4 << 2}, programs[1]})
	for _, octets := range built() {
		for k, moves := range programs {
			list = append(list, script{octets, []byte{7, 1, 100}, []byte{0, 1, 0x44, 2, 0x20, 0x20}[:4+k%3], moves})
		}
	}
	return list
}

// built returns conversations without a preface.
func built() [][]byte {
	var enc hpack.Encoder // of the conversation that is being built
	request := func(method, path string, more ...string) []byte {
		if path != "/many" {
			enc = hpack.Encoder{}
		}
		var f hpack.Fields
		f.AddToken(hpack.TokenMethod, method)
		f.AddToken(hpack.TokenScheme, "https")
		f.AddToken(hpack.TokenAuthority, "example.com")
		f.AddToken(hpack.TokenPath, path)
		for i := 0; i+1 < len(more); i += 2 {
			f.Add(more[i], more[i+1])
		}
		return enc.AppendBlock(nil, &f)
	}
	var trailers hpack.Fields
	trailers.Add("x-sum", "0123456789")
	body := make([]byte, 3000)

	ack := frame.AppendSettingsAck(nil)
	get := frame.AppendHeaders(ack, 1, request("GET", "/hello"), true, 0)

	post := frame.AppendHeaders(nil, 1, request("POST", "/echo", "content-length", "3007"), false, 0)
	post = frame.AppendData(post, 1, body, false)
	post = frame.AppendDataPadded(post, 1, body[:7], 20, true)
	post = frame.AppendWindowUpdate(post, 0, 100_000)
	post = frame.AppendPing(post, false, [8]byte{1, 2, 3})

	trailing := frame.AppendHeaders(nil, 1, request("POST", "/trailers", "te", "trailers"), false, 0)
	trailing = frame.AppendData(trailing, 1, body, false)
	trailing = frame.AppendHeaders(trailing, 1, enc.AppendBlock(nil, &trailers), true, 0)
	trailing = frame.AppendSettings(trailing, frame.Setting{ID: frame.SettingInitialWindowSize, Value: 10})
	trailing = frame.AppendSettings(trailing, frame.Setting{ID: frame.SettingHeaderTableSize, Value: 0}, frame.Setting{ID: frame.SettingInitialWindowSize, Value: 1000})
	trailing = frame.AppendWindowUpdate(trailing, 1, 5)

	block := request("GET", "/long", "x-long", string(body))
	split := frame.AppendHeadersFrame(nil, 1, frame.Headers{Block: block[:5]}, 3, frame.FlagPadded)
	split = frame.AppendContinuation(split, 1, block[5:100], false)
	split = frame.AppendContinuation(split, 1, block[100:], true)
	split = frame.AppendRSTStream(split, 1, frame.Cancel)
	split = frame.AppendData(split, 1, body[:10], true)

	enc = hpack.Encoder{}
	var many []byte
	for id := uint32(1); id < 40; id += 2 {
		many = frame.AppendHeaders(many, id, request("GET", "/many", "priority", "u=1, i"), true, 0)
		many = frame.AppendPriorityUpdate(many, id, "u=5")
	}
	many = frame.AppendGoAway(many, 0, frame.NoError, "bye")

	table := frame.AppendHeaders(nil, 1, request("GET", "/table"), true, 0)
	table = frame.AppendHeaders(table, 3, request("GET", "/many"), true, 0)
	table = frame.AppendHeaders(table, 5, request("GET", "/many"), true, 0)
	for _, size := range []uint32{64, 4096, 0, 100_000} {
		table = frame.AppendSettings(table, frame.Setting{ID: frame.SettingHeaderTableSize, Value: size})
		table = frame.AppendPing(table, false, [8]byte{4})
	}
	return [][]byte{get, post, trailing, split, many, table}
}
