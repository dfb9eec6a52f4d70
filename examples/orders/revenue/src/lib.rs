//! What orders bring in: a transform that prices each order, an aggregate that sums them up.

use tidemill::prelude::*;

/// An order, as far as its price goes.
#[derive(Record)]
pub struct Order {
    pub quantity: i64,
    pub unit_price: f64,
}

/// What an order brings in.
#[derive(Record, Debug, PartialEq)]
pub struct Amount {
    pub amount: f64,
}

/// Adds the column `amount` to an order.
#[derive(Config)]
pub struct Price {}

#[transform]
impl Price {
    fn map(&self, order: Order) -> Extended<Amount> {
        Extended(Amount {
            amount: order.quantity as f64 * order.unit_price,
        })
    }
}

/// Sums of one region and window.
#[derive(Record, Default, Debug, PartialEq)]
pub struct Sums {
    pub revenue: f64,
    pub orders: i64,
}

/// The result for one region and window.
#[derive(Record, Debug, PartialEq)]
pub struct Total {
    pub revenue: f64,
    pub orders: i64,
    pub average: f64,
}

/// Revenue, number and average of orders.
#[derive(Config)]
pub struct Revenue {}

#[aggregate]
impl Revenue {
    fn add(&self, sums: &mut Sums, order: Amount) {
        sums.revenue += order.amount;
        sums.orders += 1;
    }

    fn merge(&self, sums: &mut Sums, other: Sums) {
        sums.revenue += other.revenue;
        sums.orders += other.orders;
    }

    fn finish(&self, _window: Window, sums: &Sums) -> Total {
        let average = sums.revenue / sums.orders as f64;
        Total {
            revenue: sums.revenue,
            orders: sums.orders,
            average,
        }
    }
}

tidemill::module!(Price, Revenue);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_brings_in_quantity_times_price() {
        let order = Order {
            quantity: 3,
            unit_price: 12.5,
        };
        assert_eq!(Price {}.map(order), Extended(Amount { amount: 37.5 }));
    }

    #[test]
    fn averages_over_what_was_added_and_merged() {
        let (mut sums, mut other) = (Sums::default(), Sums::default());
        Revenue {}.add(&mut sums, Amount { amount: 10.0 });
        Revenue {}.add(&mut sums, Amount { amount: 20.0 });
        Revenue {}.add(&mut other, Amount { amount: 60.0 });
        Revenue {}.merge(&mut sums, other);
        let total = Revenue {}.finish(Window::default(), &sums);
        assert_eq!(
            total,
            Total {
                revenue: 90.0,
                orders: 3,
                average: 30.0
            }
        );
    }
}
