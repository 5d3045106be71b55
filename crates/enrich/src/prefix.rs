//! Networks flattened to a sorted row of segments, each knowing the smallest network around it.
//!
//! Networks nest or are apart, so that a prefix tree's answer is one search and a walk to the
//! root along the networks that really cover the address.

/// No network.
const NONE: u32 = u32::MAX;

/// A number that addresses are.
pub trait Number: Ord + Copy {
    /// The next one, if there is one.
    fn next(self) -> Option<Self>;
    /// The leading bits by which a search is narrowed, below `1 << TOP_BITS`.
    fn top(self) -> usize;
}

/// Leading bits by which a search is narrowed.
const TOP_BITS: u32 = 12;

impl Number for u32 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
    fn top(self) -> usize {
        (self >> (32 - TOP_BITS)) as usize
    }
}

impl Number for u128 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
    fn top(self) -> usize {
        (self >> (128 - TOP_BITS)) as usize
    }
}

/// A distinct network.
#[derive(Clone, Copy, Debug)]
struct Node<T> {
    first: T,
    last: T,
    /// The smallest network around it.
    parent: u32,
    /// Where its statements begin.
    says: u32,
}

/// The networks of one family.
#[derive(Clone, Debug)]
pub struct Prefixes<T> {
    nodes: Box<[Node<T>]>,
    says: Box<[u32]>,
    /// Where segments begin, ascending, and the network of each.
    starts: Box<[T]>,
    owners: Box<[u32]>,
    /// By leading bits: how many segments begin below.
    tops: Box<[u32]>,
}

impl<T: Number> Prefixes<T> {
    /// The networks of (first, last, statement); repeated ones count once.
    pub fn new(mut nets: Vec<(T, T, u32)>) -> Self {
        nets.sort_unstable_by(|a, b| (a.0, b.1, a.2).cmp(&(b.0, a.1, b.2)));
        nets.dedup();
        let mut nodes: Vec<Node<T>> = Vec::new();
        let mut says = Vec::with_capacity(nets.len());
        for (first, last, said) in nets {
            let same = nodes.last().is_some_and(|node| node.first == first && node.last == last);
            if !same {
                let begin = says.len() as u32;
                nodes.push(Node { first, last, parent: NONE, says: begin });
            }
            says.push(said);
        }
        let mut row = Row { starts: Vec::new(), owners: Vec::new() };
        let mut around: Vec<u32> = Vec::new();
        for at in 0..nodes.len() {
            let first = nodes[at].first;
            while let Some(top) = around.last().copied()
                && nodes[top as usize].last < first
            {
                around.pop();
                row.ends(nodes[top as usize].last, around.last().copied());
            }
            nodes[at].parent = around.last().copied().unwrap_or(NONE);
            row.begins(first, at as u32);
            around.push(at as u32);
        }
        while let Some(top) = around.pop() {
            row.ends(nodes[top as usize].last, around.last().copied());
        }
        let tops = (0..=1usize << TOP_BITS)
            .map(|top| row.starts.partition_point(|start| start.top() < top) as u32)
            .collect();
        Self {
            nodes: nodes.into(),
            says: says.into(),
            starts: row.starts.into(),
            owners: row.owners.into(),
            tops,
        }
    }

    /// The networks around `address` from the smallest on, each as (first, last, statements).
    pub fn around(&self, address: T) -> impl Iterator<Item = (T, T, &[u32])> {
        let mut at = self.owner(address);
        std::iter::from_fn(move || {
            let node = self.nodes.get(at as usize)?;
            let end = self.nodes.get(at as usize + 1).map_or(self.says.len(), |n| n.says as usize);
            at = node.parent;
            Some((node.first, node.last, &self.says[node.says as usize..end]))
        })
    }

    fn owner(&self, address: T) -> u32 {
        if self.starts.is_empty() {
            return NONE;
        }
        let top = address.top();
        let (from, to) = (self.tops[top] as usize, self.tops[top + 1] as usize);
        let at = from + self.starts[from..to].partition_point(|start| *start <= address);
        match at.checked_sub(1) {
            Some(at) => self.owners[at],
            None => NONE,
        }
    }

    /// Distinct networks.
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.nodes.len() * size_of::<Node<T>>()
            + self.says.len() * 4
            + self.starts.len() * (size_of::<T>() + 4)
            + self.tops.len() * 4
    }
}

/// Segments in the making.
struct Row<T> {
    starts: Vec<T>,
    owners: Vec<u32>,
}

impl<T: Number> Row<T> {
    fn begins(&mut self, start: T, owner: u32) {
        if self.starts.last() == Some(&start) {
            if let Some(last) = self.owners.last_mut() {
                *last = owner;
            }
            return;
        }
        self.starts.push(start);
        self.owners.push(owner);
    }

    fn ends(&mut self, last: T, outer: Option<u32>) {
        if let Some(next) = last.next() {
            self.begins(next, outer.unwrap_or(NONE));
        }
    }
}
