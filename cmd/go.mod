module github.com/nonet-h2/nonet/cmd

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/nonet-h2/nonet v0.0.0
)

require (
	golang.org/x/net v0.62.0
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/nonet-h2/nonet => ..
