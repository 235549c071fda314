package fuzz

import (
	"reflect"
	"testing"

	"github.com/nonet-h2/nonet/conn"
)

// maxRetained bounds the octets that a Conn keeps with the default limits,
// whatever its peer does: 200 stream records with their pages and table, two
// HPACK tables, a header block being collected, a fields list, and what the
// application of app_test.go queues in header sections.
const maxRetained = 768 << 10

// retained returns how many octets of memory v holds on to: all that can be
// reached from it, at its full capacity.
func retained(v any) int {
	return weigh(reflect.ValueOf(v), map[uintptr]bool{})
}

func weigh(v reflect.Value, seen map[uintptr]bool) (n int) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || seen[v.Pointer()] {
			return 0
		}
		seen[v.Pointer()] = true
		return int(v.Type().Elem().Size()) + weigh(v.Elem(), seen)
	case reflect.Slice:
		if v.Cap() == 0 || seen[v.Pointer()] {
			return 0
		}
		seen[v.Pointer()] = true
		n = v.Cap() * int(v.Type().Elem().Size())
		if pointers(v.Type().Elem()) {
			for i := range v.Len() {
				n += weigh(v.Index(i), seen)
			}
		}
	case reflect.Array:
		if pointers(v.Type().Elem()) {
			for i := range v.Len() {
				n += weigh(v.Index(i), seen)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			n += weigh(v.Field(i), seen)
		}
	case reflect.String:
		n = v.Len()
	case reflect.Map, reflect.Interface, reflect.Func, reflect.Chan:
		if !v.IsNil() {
			panic("a Conn has a " + v.Type().String())
		}
	}
	return n
}

// pointers reports whether a value of type t can lead to more memory.
func pointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return pointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if pointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Pointer, reflect.Slice, reflect.String, reflect.Map, reflect.Interface, reflect.Func, reflect.Chan:
		return true
	}
	return false
}

// outstanding returns how many octets the connection received and neither gave
// back to the peer nor owes it, and how many it believes that the application
// holds: leaks when it holds none. Nothing that a Conn says or sends shows them to
// the octet.
func outstanding(c *conn.Conn) (lost, buffered int64) {
	w := reflect.ValueOf(c).Elem().FieldByName("recv")
	b := reflect.ValueOf(c).Elem().FieldByName("budget")
	return w.FieldByName("target").Int() - w.FieldByName("available").Int() - w.FieldByName("owed").Int(), b.FieldByName("buffered").Int()
}

func TestRetained(t *testing.T) {
	type node struct {
		next *node
		buf  []byte
		name string
		pair [2]*int64
	}
	n := &node{buf: make([]byte, 3, 100), name: "abc", pair: [2]*int64{new(int64)}}
	n.next = n
	size := int(reflect.TypeFor[node]().Size())
	if got, want := retained(n), size+100+3+8; got != want {
		t.Errorf("retained = %d, want %d", got, want)
	}
	if got := retained(conn.New(conn.Config{}, 0)); got < 500 || got > 16<<10 {
		t.Errorf("a new Conn retains %d octets", got)
	}
}
