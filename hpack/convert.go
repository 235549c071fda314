package hpack

import xhpack "golang.org/x/net/http2/hpack"

// FromHeaderFields replaces the fields of dst by those of fields. It and
// ToHeaderFields are for programs that use golang.org/x/net's type; they
// allocate.
func FromHeaderFields(dst *Fields, fields []xhpack.HeaderField) {
	dst.Reset()
	for _, f := range fields {
		if f.Sensitive {
			dst.AddSensitive(f.Name, f.Value)
		} else {
			dst.Add(f.Name, f.Value)
		}
	}
}

// ToHeaderFields returns the fields of f as strings.
func ToHeaderFields(f *Fields) []xhpack.HeaderField {
	fields := make([]xhpack.HeaderField, 0, f.Len())
	for i := range f.Len() {
		fields = append(fields, xhpack.HeaderField{
			Name: string(f.Name(i)), Value: string(f.Value(i)), Sensitive: f.Sensitive(i),
		})
	}
	return fields
}
