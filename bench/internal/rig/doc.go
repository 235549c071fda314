// Package rig is what the benchmarks of bench and bench/peers share: who asks,
// who answers, and how two are measured beside each other in one run.
//
//	work.go      what is asked for
//	load.go      a connection that asks, with as little work of its own as can be, and
//	             load_read.go what comes back; asked.go is since when requests are under
//	             way, http1.go how it speaks HTTP/1.1, loads.go many of them
//	asking.go    clients that ask: clients.go are those of nonet, nethttp, net/http
//	handlers.go  what answers, the same by every kind of server; servers.go are those
//	bare.go      the same octets without HTTP/2
//	side.go      times in turn, medians; beside.go what is reported of them;
//	             cost.go allocations and system calls; cores.go how many cores;
//	             versions.go what was compared
package rig
