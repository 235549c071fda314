package main

import (
	"time"

	orcapb "github.com/cncf/xds/go/xds/data/orca/v3"
	orcagrpc "github.com/cncf/xds/go/xds/service/orca/v3"
	"google.golang.org/grpc/orca"
)

// loadReports streams the server's metrics as often as the client asks for
// them. grpc-go's own service reports every 30 seconds at most, longer than the
// case orca_oob waits.
type loadReports struct {
	orcagrpc.UnimplementedOpenRcaServiceServer
	provider orca.ServerMetricsProvider
}

func (s *loadReports) StreamCoreMetrics(in *orcagrpc.OrcaLoadReportRequest, reports orcagrpc.OpenRcaService_StreamCoreMetricsServer) error {
	ticker := time.NewTicker(max(in.GetReportInterval().AsDuration(), 100*time.Millisecond))
	defer ticker.Stop()
	for {
		m := s.provider.ServerMetrics()
		report := &orcapb.OrcaLoadReport{Utilization: m.Utilization}
		// A value below zero means that it was not recorded.
		report.CpuUtilization = max(m.CPUUtilization, 0)
		report.MemUtilization = max(m.MemUtilization, 0)
		if err := reports.Send(report); err != nil {
			return err
		}
		select {
		case <-reports.Context().Done():
			return reports.Context().Err()
		case <-ticker.C:
		}
	}
}
