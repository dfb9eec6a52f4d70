//! The fields that columns are read from, as a tree.

use crate::format::ColumnSpec;

/// What is done with a field's value.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// No column wants it.
    Unknown,
    /// It is the value of this column, and of its twins ([`twins`]).
    Column(usize),
    /// It is an object, a node of the tree, with columns somewhere inside.
    Node(usize),
}

/// An object of which columns want something.
#[derive(Debug, Default)]
pub struct Node {
    names: Vec<(Box<[u8]>, Target)>,
    /// All columns that stand somewhere in it.
    pub columns: Vec<usize>,
}

impl Node {
    /// The target of a field by its name.
    pub fn find(&self, name: &[u8]) -> Target {
        let known = self.names.iter().find(|(known, _)| **known == *name);
        known.map_or(Target::Unknown, |(_, target)| *target)
    }

    /// The name, among those that columns want here, that is most like this one.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        let known = self
            .names
            .iter()
            .filter_map(|(known, _)| std::str::from_utf8(known).ok());
        let ranked = known.map(|known| (strsim::damerau_levenshtein(known, name), known));
        ranked
            .filter(|(edits, known)| *edits <= 1 + known.len() / 3)
            .min()
            .map(|(_, known)| known)
    }
}

/// The tree for some columns; the first node is the row itself.
pub fn tree(columns: &[ColumnSpec]) -> Vec<Node> {
    let mut nodes = vec![Node::default()];
    for (column, spec) in columns.iter().enumerate() {
        let mut node = 0;
        nodes[0].columns.push(column);
        let (last, way) = spec
            .path
            .split_last()
            .unwrap_or_else(|| panic!("a column with no path"));
        for name in way {
            node = child(&mut nodes, node, name);
            nodes[node].columns.push(column);
        }
        add_column(&mut nodes[node], last, column);
    }
    nodes
}

fn child(nodes: &mut Vec<Node>, parent: usize, name: &str) -> usize {
    if let Target::Node(node) = nodes[parent].find(name.as_bytes()) {
        return node;
    }
    nodes.push(Node::default());
    let node = nodes.len() - 1;
    nodes[parent]
        .names
        .push((name.as_bytes().into(), Target::Node(node)));
    node
}

/// The first column of a field stands for its twins.
fn add_column(node: &mut Node, name: &str, column: usize) {
    if !node
        .names
        .iter()
        .any(|(known, _)| **known == *name.as_bytes())
    {
        node.names
            .push((name.as_bytes().into(), Target::Column(column)));
    }
}

/// For each column the next that is read from the same field.
pub fn twins(columns: &[ColumnSpec]) -> Vec<Option<usize>> {
    let next = |i: usize| (i + 1..columns.len()).find(|&j| columns[j].path == columns[i].path);
    (0..columns.len()).map(next).collect()
}
