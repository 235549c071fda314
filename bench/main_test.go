package bench

import (
	"os"
	"testing"

	"github.com/nonet-h2/nonet/bench/internal/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m, "../go.mod", "golang.org/x/net")) }
