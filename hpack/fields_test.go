package hpack

import (
	"fmt"
	"strings"
	"testing"
)

func TestFieldsEdit(t *testing.T) {
	var f Fields
	check := func(step, want string) {
		t.Helper()
		if got := fmt.Sprint(pairs(&f)); got != want {
			t.Errorf("%s: %s, want %s", step, got, want)
		}
		size := 0
		for name, value := range f.All() {
			size += len(name) + len(value) + 32
		}
		if size != f.Size() {
			t.Errorf("%s: size %d, want %d", step, f.Size(), size)
		}
		for i := range f.Len() {
			if f.Token(i) != TokenOf(f.Name(i)) {
				t.Errorf("%s: %s has token %d", step, f.Name(i), f.Token(i))
			}
			if f.Token(i) != 0 && f.Find(f.Token(i)) < 0 {
				t.Errorf("%s: %s is not found", step, f.Name(i))
			}
		}
	}
	check("zero", "[]")
	f.Add(":Method", "GET")
	f.AddBytes([]byte("X-Custom"), []byte("1"))
	f.AddToken(TokenContentType, "text/html")
	f.AddTokenBytes(TokenCookie, []byte("a=b"))
	f.AddInt(TokenContentLength, -12)
	f.AddSensitive("Authorization", "secret")
	check("added", "[{:method GET} {x-custom 1} {content-type text/html} {cookie a=b} {content-length -12} {authorization secret}]")
	f.SetToken(TokenMethod, "POST")
	f.SetToken(TokenPath, "/")
	f.SetTokenBytes(TokenAge, []byte("7"))
	check("set", "[{:method POST} {:path /} {x-custom 1} {content-type text/html} {cookie a=b} {content-length -12} {authorization secret} {age 7}]")
	f.AddToken(TokenCookie, "c=d")
	f.AddToken(TokenCookie, "e=f")
	f.SetToken(TokenCookie, "all")
	check("set of several", "[{:method POST} {:path /} {x-custom 1} {content-type text/html} {cookie all} {content-length -12} {authorization secret} {age 7}]")
	f.AddToken(TokenCookie, "more")
	f.DeleteToken(TokenCookie)
	f.DeleteToken(TokenCookie)
	f.DeleteToken(TokenHost)
	check("deleted", "[{:method POST} {:path /} {x-custom 1} {content-type text/html} {content-length -12} {authorization secret} {age 7}]")
	if f.Find(TokenCookie) != -1 || f.Get(TokenCookie) != nil || f.GetName("cookie") != nil {
		t.Error("a deleted field is found")
	}
	if !f.Sensitive(5) || f.Sensitive(4) {
		t.Error("sensitive fields are not where they should be")
	}
	var g Fields
	g.Add("gone", "gone")
	g.CopyFrom(&f)
	f.Reset()
	check("reset", "[]")
	for i := range g.Len() {
		f.AddField(g.Field(i))
	}
	check("field by field", fmt.Sprint(pairs(&g)))
	if !f.Sensitive(5) {
		t.Error("AddField lost a never-indexed field")
	}
}

func TestFieldsGet(t *testing.T) {
	var f Fields
	if f.Get(TokenPath) != nil || f.GetName("x") != nil || f.GetName("") != nil || f.Find(TokenPath) != -1 {
		t.Error("something in an empty list")
	}
	f.AddToken(TokenPath, "")
	if v := f.Get(TokenPath); v == nil || len(v) != 0 {
		t.Errorf("an empty :path is %v, and must not be nil", v)
	}
	f.Add("x-empty", "")
	f.Add("x", "1")
	f.Add("x", "2")
	name := strings.Repeat("long-name-", 20)
	f.Add(name, "long")
	for want, got := range map[string][]byte{"1": f.GetName("X"), "long": f.GetName(strings.ToUpper(name))} {
		if string(got) != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if v := f.GetName("X-Empty"); v == nil || len(v) != 0 {
		t.Errorf("an empty value is %v", v)
	}
	for name := range f.All() {
		if string(name) != ":path" {
			t.Errorf("All goes on to %s", name)
		}
		break
	}
	// A decoded list is no different.
	var d Decoder
	var g Fields
	d.Decode(&g, rawField(nil, 0, ":path", ""), Request, Limits{})
	if v := g.Get(TokenPath); v == nil || len(v) != 0 {
		t.Errorf("a decoded empty :path is %v", v)
	}
	d.Decode(&g, []byte{0x81}, Request, Limits{})
	if v := g.Get(TokenAuthority); v == nil || len(v) != 0 {
		t.Errorf("an indexed empty :authority is %v", v)
	}
}

// A list that one message made huge gives the memory back.
func TestFieldsKeepLittle(t *testing.T) {
	var f Fields
	f.Add("x", strings.Repeat("v", 100_000))
	for range 5000 {
		f.Add("y", "")
	}
	f.Reset()
	if cap(f.buf) > keepArena || 16*cap(f.desc) > keepArena {
		t.Errorf("%d octets and %d descriptions kept", cap(f.buf), cap(f.desc))
	}
	f.Add("x", strings.Repeat("v", 1000))
	n := cap(f.buf)
	f.Reset()
	if cap(f.buf) != n {
		t.Errorf("an arena of %d octets became %d", n, cap(f.buf))
	}
}

// Views live until the next step, or until the list is changed: with the build
// tag nonetpoison their octets are overwritten then.
func TestPoison(t *testing.T) {
	var d Decoder
	var kept []byte
	for f := range d.Fields(rawBlock(0, pair{"name", "value"}, pair{"x", "y"})) {
		if kept == nil {
			if kept = f.Value; string(kept) != "value" {
				t.Fatalf("%q", kept)
			}
		}
	}
	var f Fields
	f.Add("name", "value")
	list := f.Value(0)
	f.Reset()
	want := strings.Repeat("\xdb", 5)
	if poisoned && (string(list) != want || string(kept[2:]) != want[2:]) {
		t.Errorf("%q and %q after their life ended", list, kept)
	}
}
