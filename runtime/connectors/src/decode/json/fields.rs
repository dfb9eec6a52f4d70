//! The fields that columns are read from, as a tree, and the order in which rows have lately had
//! them.

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
    /// The fields of the rows so far, by their number within the object.
    order: Vec<Expected>,
    /// How often the order may still be learned anew.
    lessons: u32,
}

/// A field that is expected next.
#[derive(Debug)]
struct Expected {
    target: Target,
    /// The length of `key`.
    len: usize,
    /// Its first sixteen bytes, and which of them count: one comparison for most names.
    head: u128,
    mask: u128,
    /// `"name":`
    key: Box<[u8]>,
}

impl Expected {
    fn new(name: &[u8], target: Target) -> Self {
        let key = [b"\"", name, b"\":"].concat();
        let mut head = [0; 16];
        let mut mask = [0; 16];
        for (i, &byte) in key.iter().take(16).enumerate() {
            (head[i], mask[i]) = (byte, 0xFF);
        }
        let (head, mask) = (u128::from_le_bytes(head), u128::from_le_bytes(mask));
        Self {
            target,
            len: key.len(),
            head,
            mask,
            key: key.into(),
        }
    }

    #[inline(always)]
    fn begins(&self, rest: &[u8]) -> bool {
        match rest.first_chunk::<16>() {
            Some(first) if u128::from_le_bytes(*first) & self.mask != self.head => false,
            Some(_) if self.len <= 16 => true,
            _ => rest.starts_with(&self.key),
        }
    }
}

/// So many fields of an object are foreseen.
const FORESEEN: usize = 256;

/// Names longer than this are not foreseen.
const LONGEST_NAME: usize = 128;

/// Orders that change with every row are not learned for ever.
const LESSONS: u32 = 4096;

/// How many fields of the usual order may be missing before a field is looked up.
const MISSING: usize = 3;

impl Node {
    /// The target of the field whose name begins at the head of `rest`, if it is one of those
    /// expected as the `number`th; the bytes of its name and colon, and the number that it has in
    /// the usual order.
    #[inline(always)]
    pub fn foreseen(&self, rest: &[u8], number: usize) -> Option<(Target, usize, usize)> {
        let expected = self.order.get(number)?;
        if expected.begins(rest) {
            return Some((expected.target, expected.len, number));
        }
        self.foreseen_later(rest, number + 1)
    }

    #[cold]
    fn foreseen_later(&self, rest: &[u8], number: usize) -> Option<(Target, usize, usize)> {
        let later = self.order.iter().enumerate().skip(number).take(MISSING);
        later
            .filter(|(_, expected)| expected.begins(rest))
            .map(|(number, expected)| (expected.target, expected.len, number))
            .next()
    }

    /// The target of a field by its name.
    pub fn find(&self, name: &[u8]) -> Target {
        let known = self.names.iter().find(|(known, _)| **known == *name);
        known.map_or(Target::Unknown, |(_, target)| *target)
    }

    /// Expects this name, as it stands in the text, as the `number`th next time.
    pub fn learn(&mut self, name: &[u8], target: Target, number: usize) {
        let next = number.min(self.order.len());
        if self.lessons == 0 || next >= FORESEEN || name.len() > LONGEST_NAME {
            return;
        }
        self.lessons -= 1;
        let expected = Expected::new(name, target);
        if next == self.order.len() {
            self.order.push(expected);
        } else {
            self.order[next] = expected;
        }
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
    let mut nodes = vec![Node {
        lessons: LESSONS,
        ..Node::default()
    }];
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
    nodes.push(Node {
        lessons: LESSONS,
        ..Node::default()
    });
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
