//! Alerts where more than `limit` was paid on one account within a window.

use tidemill::prelude::*;

/// A payment, as far as this rule looks at it.
#[derive(Record)]
pub struct Payment {
    pub amount: f64,
}

/// What was paid on one account within one window so far.
#[derive(Record, Default, Clone, Debug, PartialEq)]
pub struct Spent {
    pub total: f64,
    pub payments: i64,
    pub largest: f64,
}

/// The rule: alerts above `limit`.
#[derive(Config)]
pub struct Velocity {
    pub limit: f64,
}

#[aggregate]
impl Velocity {
    fn add(&self, spent: &mut Spent, payment: Payment) {
        spent.total += payment.amount;
        spent.payments += 1;
        spent.largest = spent.largest.max(payment.amount);
    }

    fn merge(&self, spent: &mut Spent, other: Spent) {
        spent.total += other.total;
        spent.payments += other.payments;
        spent.largest = spent.largest.max(other.largest);
    }

    fn finish(&self, _window: Window, spent: &Spent) -> Option<Spent> {
        (spent.total > self.limit).then(|| spent.clone())
    }
}

tidemill::module!(Velocity);

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(amounts: &[f64]) -> Spent {
        let mut spent = Spent::default();
        for &amount in amounts {
            Velocity { limit: 0.0 }.add(&mut spent, Payment { amount });
        }
        spent
    }

    #[test]
    fn alerts_above_the_limit_and_not_at_it() {
        let rule = Velocity { limit: 10_000.0 };
        let alert = |amounts| rule.finish(Window::default(), &spent(amounts));
        assert_eq!(alert(&[4_000.0, 6_000.0]), None);
        let alert = alert(&[4_000.0, 6_000.5]).expect("above the limit");
        assert_eq!(
            (alert.total, alert.payments, alert.largest),
            (10_000.5, 2, 6_000.5)
        );
    }

    #[test]
    fn merging_is_adding() {
        let mut first = spent(&[1.0, 2.0]);
        Velocity { limit: 0.0 }.merge(&mut first, spent(&[3.0]));
        assert_eq!(first, spent(&[1.0, 2.0, 3.0]));
    }
}
