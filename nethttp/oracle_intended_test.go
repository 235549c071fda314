package nethttp_test

// intended are the differences that are meant, grouped by reason. Each must
// exist exactly so.
var intended = []struct {
	reason string
	list   []difference
}{}

func intendedDifferences() (list []difference) {
	for _, group := range intended {
		list = append(list, group.list...)
	}
	return list
}
