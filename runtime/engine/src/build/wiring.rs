//! What leads where: the inputs of each station, the queues of each exchange, and what may come to what.

use std::sync::Arc;

use super::Builder;
use crate::exchange::{Inlet, Outlet};
use crate::metrics::Counters;
use crate::plan::{Edge, Station, StationKind};
use crate::task::{Route, Routes};

impl Builder<'_> {
    /// The node of a station: its index among those that are no sources.
    pub(super) fn node(&self, station: usize) -> usize {
        let is_node = |station: &&Station| !matches!(station.kind, StationKind::Source(_));
        self.plan.stations[..station].iter().filter(is_node).count()
    }

    /// How many inputs an edge brings: one, or one from every worker.
    pub(super) fn width(&self, edge: &Edge) -> usize {
        if edge.exchange.is_some() {
            self.plan.workers
        } else {
            1
        }
    }

    pub(super) fn inputs_of(&self, station: usize) -> usize {
        self.plan
            .edges
            .iter()
            .filter(|edge| edge.to == station)
            .map(|edge| self.width(edge))
            .sum()
    }

    /// The first input of the receiving station that an edge brings.
    pub(super) fn first_input(&self, edge: usize) -> usize {
        let to = self.plan.edges[edge].to;
        let before = self.plan.edges[..edge]
            .iter()
            .filter(|other| other.to == to);
        before.map(|edge| self.width(edge)).sum()
    }

    /// The outlet of each edge that is an exchange.
    pub(super) fn outlet_of_edge(&self) -> Vec<Option<usize>> {
        let mut next = 0..;
        self.plan
            .edges
            .iter()
            .map(|edge| edge.exchange.as_ref().and_then(|_| next.next()))
            .collect()
    }

    /// Where the output of a station goes; the own share of an exchange comes by the first of its inputs.
    pub(super) fn routes(&self, station: usize, outlets: &[Option<usize>]) -> Routes {
        let mut routes: Routes = vec![Vec::new(); self.plan.stations[station].ports.len()];
        for (index, edge) in self
            .plan
            .edges
            .iter()
            .enumerate()
            .filter(|(_, e)| e.from == station)
        {
            let (node, input) = (self.node(edge.to), self.first_input(index));
            routes[edge.port].push(match outlets[index] {
                Some(outlet) => Route::Exchange {
                    outlet,
                    node,
                    input,
                },
                None => Route::Local { node, input },
            });
        }
        routes
    }

    pub(super) fn outlets(&self, worker: usize) -> Vec<Outlet> {
        let exchanges = self.plan.edges.iter().zip(&self.queues);
        exchanges
            .filter_map(|(edge, queues)| {
                let senders = queues.as_ref()?[worker].iter();
                let senders = senders
                    .map(|queue| queue.as_ref().map(|(s, _)| s.clone()))
                    .collect();
                let partitioning = edge.exchange.clone()?;
                let unparkers = self.unparkers.to_vec();
                Some(
                    Outlet::new(
                        partitioning,
                        worker,
                        self.plan.max_parallelism,
                        senders,
                        unparkers,
                    )
                    .with_combiner(self.combiner(edge.to, worker)),
                )
            })
            .collect()
    }

    /// Where the time of each outlet is counted: with the station that it leads to.
    pub(super) fn exchanges(&self, worker: usize) -> Vec<Arc<Counters>> {
        let exchanges = self
            .plan
            .edges
            .iter()
            .filter(|edge| edge.exchange.is_some());
        let measured = exchanges.filter(|_| self.options.profile);
        measured
            .map(|edge| self.metrics.of(edge.to, worker))
            .collect()
    }

    /// The receiving sides of a worker, and the outlets that each may lead to.
    pub(super) fn inlets(&self, worker: usize) -> (Vec<Inlet>, Vec<Vec<usize>>) {
        let (mut inlets, mut reaches) = (Vec::new(), Vec::new());
        let outlets = self.outlet_of_edge();
        for (index, edge) in self.plan.edges.iter().enumerate() {
            let Some(queues) = &self.queues[index] else {
                continue;
            };
            for (from, queues) in queues
                .iter()
                .enumerate()
                .filter(|(from, _)| *from != worker)
            {
                let (_, receiver) = queues[worker].as_ref().expect("workers differ");
                inlets.push(Inlet {
                    node: self.node(edge.to),
                    input: self.first_input(index) + input_from(from, worker),
                    from,
                    receiver: receiver.clone(),
                });
                reaches.push(self.outlets_behind(edge.to, &outlets));
            }
        }
        (inlets, reaches)
    }

    /// The outlets that what a station gives may come to.
    pub(super) fn outlets_behind(&self, station: usize, outlets: &[Option<usize>]) -> Vec<usize> {
        let mut found = Vec::new();
        for (index, edge) in self
            .plan
            .edges
            .iter()
            .enumerate()
            .filter(|(_, e)| e.from == station)
        {
            found.extend(outlets[index]);
            found.extend(self.outlets_behind(edge.to, outlets));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Inputs that an exchange brings are numbered from the own share: 0 is this worker's, then the others in order.
fn input_from(from: usize, worker: usize) -> usize {
    if from < worker { from + 1 } else { from }
}
